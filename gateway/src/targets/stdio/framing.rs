//! Lines over standard streams: one message a line, bounded. Reads no messages.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The next line without its end; `Ok(None)` at the end of the stream.
///
/// # Errors
/// A line of more than `limit` bytes, or a stream that cannot be read.
pub(super) async fn next_line(
    stream: &mut (impl AsyncBufRead + Unpin),
    limit: usize,
) -> Result<Option<Vec<u8>>, std::io::Error> {
    let mut line = Vec::new();
    loop {
        let chunk = stream.fill_buf().await?;
        if chunk.is_empty() {
            return Ok((!line.is_empty()).then_some(line));
        }
        let (part, used, ended) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&chunk[..end], end + 1, true),
            None => (chunk, chunk.len(), false),
        };
        if line.len() + part.len() > limit {
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "a line over the limit"));
        }
        line.extend_from_slice(part);
        stream.consume(used);
        if ended {
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_bounded() {
        let mut stream = &b"one\n\ntwo"[..];
        assert_eq!(next_line(&mut stream, 3).await.unwrap(), Some(b"one".to_vec()));
        assert_eq!(next_line(&mut stream, 3).await.unwrap(), Some(Vec::new()));
        assert_eq!(next_line(&mut stream, 3).await.unwrap(), Some(b"two".to_vec()));
        assert_eq!(next_line(&mut stream, 3).await.unwrap(), None);
        assert!(next_line(&mut &b"four\n"[..], 3).await.is_err());
    }
}
