//! Lines in and out, bounded. Reads no messages.

use bytes::Bytes;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Whole(Vec<u8>),
    /// It was over the limit, and was passed over.
    TooLong,
}

/// The next line; `None` at the end of the stream. What stands there without a line end counts as one.
pub(crate) async fn next(stream: &mut (impl AsyncBufRead + Unpin), limit: usize) -> std::io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let chunk = stream.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(match (too_long, line.is_empty()) {
                (true, _) => Some(Line::TooLong),
                (false, true) => None,
                (false, false) => Some(Line::Whole(line)),
            });
        }
        let (part, used, ended) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&chunk[..end], end + 1, true),
            None => (chunk, chunk.len(), false),
        };
        too_long |= line.len() + part.len() > limit;
        match too_long {
            true => line.clear(),
            false => line.extend_from_slice(part),
        }
        stream.consume(used);
        if ended {
            return Ok(Some(if too_long { Line::TooLong } else { Line::Whole(line) }));
        }
    }
}

/// Writes a line for each message, until there are no more or nobody reads them.
pub(super) async fn write(mut stream: impl AsyncWrite + Unpin, mut messages: mpsc::Receiver<Bytes>) {
    while let Some(message) = messages.recv().await {
        // JSON text holds line ends only as white space; here they would end the message.
        let mut line: Vec<u8> =
            message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
        line.push(b'\n');
        if stream.write_all(&line).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_bounded_one_by_one() {
        let mut stream = &b"one\n\nfour\ntwo\r\nend"[..];
        let mut lines = Vec::new();
        while let Some(line) = next(&mut stream, 4).await.unwrap() {
            lines.push(line);
        }
        let whole = |text: &str| Line::Whole(text.into());
        assert_eq!(lines, [whole("one"), whole(""), whole("four"), whole("two\r"), whole("end")]);
        let mut stream = tokio::io::BufReader::with_capacity(2, &b"12345\n12\n123456"[..]);
        assert_eq!(next(&mut stream, 4).await.unwrap(), Some(Line::TooLong));
        assert_eq!(next(&mut stream, 4).await.unwrap(), Some(whole("12")));
        assert_eq!(next(&mut stream, 4).await.unwrap(), Some(Line::TooLong));
        assert_eq!(next(&mut stream, 4).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_message_is_one_line() {
        let (sender, messages) = mpsc::channel(2);
        sender.send("{\"a\":\r\n 1}".into()).await.unwrap();
        sender.send("{}".into()).await.unwrap();
        drop(sender);
        let (ours, mut theirs) = tokio::io::duplex(100);
        write(ours, messages).await;
        let mut text = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut theirs, &mut text).await.unwrap();
        assert_eq!(text, "{\"a\":   1}\n{}\n");
    }
}
