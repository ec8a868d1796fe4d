//! Server-sent events.

use causeway_core::wire::sse::{Decoder, Event, encode};

/// The most that one event may have here; small, so that inputs come to it.
const LIMIT: usize = 256;

/// Two bytes that say where the stream is cut into chunks, and then the stream.
///
/// The events are the same wherever it is cut, none is longer than the limit, and what is encoded comes out as it was.
pub fn check(data: &[u8]) {
    let Some((&[first, second], stream)) = data.split_first_chunk() else { return };
    let whole = read([stream].into_iter());
    let cut = |at: u8| usize::from(at).min(stream.len());
    let (from, to) = (cut(first.min(second)), cut(first.max(second)));
    assert_eq!(read([&stream[..from], &stream[from..to], &[], &stream[to..]].into_iter()), whole, "cut in three");
    assert_eq!(read(stream.chunks(1)), whole, "cut in bytes");
    assert_eq!(read(stream.chunks(1).flat_map(|byte| [byte, &[]])), whole, "cut in bytes and nothings");
    for event in &whole.events {
        assert!(event.data.len() <= LIMIT, "an event has {} bytes", event.data.len());
        assert!(!event.data.is_empty(), "an event without data is none");
        there_and_back(&event.data);
    }
    if let Ok(text) = std::str::from_utf8(stream) {
        there_and_back(text);
    }
}

/// All that a reader learns of a stream.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    events: Vec<Event>,
    last_id: Option<String>,
    retry_ms: Option<u64>,
    too_long: bool,
}

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Read {
    let mut decoder = Decoder::new(LIMIT);
    let mut events = Vec::new();
    let mut too_long = false;
    for chunk in chunks {
        too_long = decoder.push(chunk).is_err();
        events.extend(std::iter::from_fn(|| decoder.next_event()));
        if too_long {
            break;
        }
    }
    Read { events, last_id: decoder.last_id().map(str::to_owned), retry_ms: decoder.retry_ms(), too_long }
}

/// A carriage return is white space between the tokens of JSON, and stands in no text of JSON as it is.
fn there_and_back(data: &str) {
    let mut decoder = Decoder::new(usize::MAX);
    decoder.push(encode(data).as_bytes()).expect("no limit");
    let event = decoder.next_event().map(|event| event.data).unwrap_or_default();
    assert_eq!(event, data.replace('\r', " "), "an event is not what was encoded");
    assert_eq!(decoder.next_event(), None, "one text became two events");
}
