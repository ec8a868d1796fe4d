//! Server-sent events, both ways, bounded. Carries texts; knows no JSON.
//!
//! Source: WHATWG HTML, section "Server-sent events".

use std::collections::VecDeque;

use memchr::memchr2;

/// One event: what its `data` lines held, joined by line feeds, and its `id` line if it had one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub data: String,
    pub id: Option<String>,
}

/// An event or a line is longer than the limit.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("an event of the stream is longer than {0} bytes")]
pub struct TooLong(pub usize);

/// Turns the chunks of a stream into events.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    line: Vec<u8>,
    /// The last line ended with CR: an LF right after it belongs to that line end.
    after_cr: bool,
    started: bool,
    event: Event,
    has_data: bool,
    /// Of the data of the event the beginning was taken.
    is_taken: bool,
    /// Of the line, which is one of data, too, with the name of its field.
    is_line_taken: bool,
    ready: VecDeque<Event>,
    last_id: Option<String>,
    retry_ms: Option<u64>,
}

impl Decoder {
    /// A decoder that refuses events of more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let (line, event, ready) = (Vec::new(), Event::default(), VecDeque::new());
        let (last_id, retry_ms, has_data, is_taken, is_line_taken) = (None, None, false, false, false);
        let (after_cr, started) = (false, false);
        Self { limit, line, after_cr, started, event, has_data, is_taken, is_line_taken, ready, last_id, retry_ms }
    }

    /// Takes the next chunk.
    pub fn push(&mut self, mut chunk: &[u8]) -> Result<(), TooLong> {
        if chunk.is_empty() {
            // The LF that belongs to a CR may still come.
            return Ok(());
        }
        if std::mem::take(&mut self.after_cr) && chunk.first() == Some(&b'\n') {
            chunk = &chunk[1..];
        }
        while let Some(end) = memchr2(b'\n', b'\r', chunk) {
            self.extend_line(&chunk[..end])?;
            self.end_line();
            let rest = &chunk[end + 1..];
            chunk = match (chunk[end], rest.first()) {
                (b'\r', Some(b'\n')) => &rest[1..],
                (b'\r', None) => {
                    self.after_cr = true;
                    rest
                }
                _ => rest,
            };
        }
        self.extend_line(chunk)
    }

    /// The next whole event. Events without data (priming, keep-alive) are passed over.
    pub fn next_event(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// Bytes that have come of the data of an event whose end is still to come, if any: about so many are held.
    pub fn held(&self) -> usize {
        self.line.len() + self.event.data.len()
    }

    /// Whether the event whose end is still to come has an id by now.
    pub fn has_id(&self) -> bool {
        self.event.id.is_some()
    }

    /// What has come of the data of an event whose end is still to come, as far as it ends with a whole character and was not taken yet.
    pub fn begun(&self) -> Vec<u8> {
        let mut begun = self.event.data.clone().into_bytes();
        if let Some(value) = self.begun_value() {
            if self.has_data && !self.is_line_taken {
                begun.push(b'\n');
            }
            begun.extend_from_slice(String::from_utf8_lossy(whole_characters(value)).as_bytes());
        }
        begun
    }

    /// Gives away [`Self::begun`].
    pub fn take_begun(&mut self) -> Vec<u8> {
        let begun = self.begun();
        if !begun.is_empty() {
            self.skip_begun();
        }
        begun
    }

    /// Takes [`Self::begun`] for given away: of this event, only what comes after that is still given, and it is given also if that is
    /// nothing.
    pub fn skip_begun(&mut self) {
        self.event.data.clear();
        self.is_taken = true;
        if self.begun_value().is_some() {
            self.line.drain(..whole_characters(&self.line).len());
            (self.has_data, self.is_line_taken) = (true, true);
        }
    }

    /// What has come of the value of a line of data.
    fn begun_value(&self) -> Option<&[u8]> {
        if self.is_line_taken {
            return Some(&self.line);
        }
        let value = self.line.strip_prefix(b"data:")?;
        // Whether a space follows that does not count shows only then.
        let (first, rest) = value.split_first()?;
        Some(if *first == b' ' { rest } else { value })
    }

    /// The id of the last event that had one, without data or with it: where to go on after the stream broke off.
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// Milliseconds that the sender wants a reader to wait before it comes back.
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    fn extend_line(&mut self, part: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + self.event.data.len() + part.len() > self.limit {
            return Err(TooLong(self.limit));
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mut line = String::from_utf8_lossy(&line);
        if std::mem::take(&mut self.is_line_taken) {
            self.started = true;
            return self.event.data.push_str(&line);
        }
        if !std::mem::replace(&mut self.started, true) && line.starts_with('\u{feff}') {
            line = line['\u{feff}'.len_utf8()..].to_owned().into();
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "id" => self.event.id = Some(value.to_owned()),
            "retry" => self.retry_ms = value.parse().ok().or(self.retry_ms),
            // `event` and comments carry nothing that a relay needs.
            _ => (),
        }
    }

    fn dispatch(&mut self) {
        let event = std::mem::take(&mut self.event);
        self.has_data = false;
        if event.id.is_some() {
            self.last_id.clone_from(&event.id);
        }
        if std::mem::take(&mut self.is_taken) || !event.data.is_empty() {
            self.ready.push_back(event);
        }
    }
}

/// `bytes` without a character at the end of which a part is still to come.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        Ok(_) | Err(_) => bytes,
    }
}

/// What stands before the data of an event.
pub const BEFORE: &str = "event: message\ndata: ";
/// What stands behind it.
pub const BEHIND: &str = "\n\n";

/// A part of the data of one event, as bytes of a stream between [`BEFORE`] and [`BEHIND`].
pub fn encode_part(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    write_part(&mut out, data);
    out
}

/// One event with `data`, as bytes of a stream.
pub fn encode(data: &str) -> String {
    let mut out = Vec::with_capacity(BEFORE.len() + data.len() + BEHIND.len());
    out.extend_from_slice(BEFORE.as_bytes());
    write_part(&mut out, data.as_bytes());
    out.extend_from_slice(BEHIND.as_bytes());
    String::from_utf8(out).expect("its line ends are changed, and no other character")
}

fn write_part(out: &mut Vec<u8>, data: &[u8]) {
    let mut rest = data;
    while let Some(at) = memchr2(b'\n', b'\r', rest) {
        out.extend_from_slice(&rest[..at]);
        // A lone CR would end the line; between JSON tokens it is white space, inside texts JSON escapes it.
        out.extend_from_slice(if rest[at] == b'\n' { b"\ndata: " } else { b" " });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(chunks: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::new(1000);
        chunks.iter().for_each(|chunk| decoder.push(chunk).unwrap());
        std::iter::from_fn(|| decoder.next_event()).map(|event| event.data).collect()
    }

    #[test]
    fn line_ends_comments_and_priming_events() {
        let stream = b"\xef\xbb\xbf: hi\r\nretry: 3\r\nid: 7\r\ndata:\r\n\r\nevent: message\rdata: a\rdata:b\r\rdata: c\n\ndata: lost";
        assert_eq!(decode(&[stream]), ["a\nb", "c"]);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(decode(&bytes), ["a\nb", "c"], "chunk borders do not matter");
        let apart: Vec<&[u8]> = stream.chunks(1).flat_map(|byte| [byte, &[]]).collect();
        assert_eq!(decode(&apart), ["a\nb", "c"], "nor do empty chunks, which HTTP/2 has");
    }

    #[test]
    fn an_id_comes_with_its_event() {
        let mut decoder = Decoder::new(100);
        decoder.push(b"id: 9\ndata: x\n\n").unwrap();
        assert_eq!(decoder.next_event(), Some(Event { data: "x".into(), id: Some("9".into()) }));
        assert_eq!((decoder.last_id(), decoder.retry_ms()), (Some("9"), None));
        decoder.push(b"id: 10\nretry: 7\ndata:\n\nretry: soon\nid: 11").unwrap();
        assert_eq!(decoder.next_event(), None);
        assert_eq!((decoder.last_id(), decoder.retry_ms()), (Some("10"), Some(7)), "an event ends with an empty line");
    }

    #[test]
    fn an_event_over_the_limit_ends_the_stream() {
        assert_eq!(Decoder::new(10).push(b"data: 0123456789"), Err(TooLong(10)));
        assert_eq!(Decoder::new(10).push(b"data: 0123\ndata: 4567\ndata: 89\n"), Err(TooLong(10)));
    }

    /// What was taken of an event and what is given of it at its end.
    fn taken(stream: &str, cuts: &[usize]) -> (String, Vec<String>) {
        let mut decoder = Decoder::new(1000);
        let (mut taken, mut at) = (Vec::new(), 0);
        for cut in cuts {
            decoder.push(&stream.as_bytes()[at..*cut]).unwrap();
            taken.extend(decoder.take_begun());
            at = *cut;
        }
        decoder.push(&stream.as_bytes()[at..]).unwrap();
        let rest = std::iter::from_fn(|| decoder.next_event()).map(|event| event.data).collect();
        (String::from_utf8(taken).unwrap(), rest)
    }

    #[test]
    fn what_has_come_of_an_event_may_be_taken() {
        let stream = "data: 1\n\nid: 7\ndata: a\u{e9}\ndata:\u{1d11e}b\ndata\ndata: \n\ndata: c\n\n";
        let at = stream.find("id").unwrap();
        let whole = "a\u{e9}\n\u{1d11e}b\n\n";
        for first in at..stream.find("data: c").unwrap() {
            for second in first..stream.find("data: c").unwrap() {
                let (begun, rest) = taken(stream, &[first, second]);
                assert_eq!((&*rest[0], rest.last().map(|last| &**last)), ("1", Some("c")));
                assert_eq!([begun, rest[1].clone()].concat(), whole, "{first} {second}");
            }
        }
        assert_eq!(taken("data: ab\n\n", &[8]), ("ab".into(), vec![String::new()]), "its end is an event");
        let decoder = Decoder::new(10);
        assert_eq!((decoder.held(), decoder.begun()), (0, Vec::new()));
    }

    proptest! {
        #[test]
        fn parts_are_decoded_as_one(text in "[^\r]{1,40}", cut in 1usize..7) {
            let parts: Vec<u8> = text.as_bytes().chunks(cut).flat_map(encode_part).collect();
            prop_assert_eq!(decode(&[BEFORE.as_bytes(), &parts, BEHIND.as_bytes()]), [text]);
        }

        #[test]
        fn what_is_encoded_is_decoded(texts in proptest::collection::vec("[^\r]{1,40}", 1..4), cut in 1usize..7) {
            let stream: String = texts.iter().map(|text| encode(text)).collect();
            let chunks: Vec<&[u8]> = stream.as_bytes().chunks(cut).collect();
            prop_assert_eq!(decode(&chunks), texts);
        }
    }
}
