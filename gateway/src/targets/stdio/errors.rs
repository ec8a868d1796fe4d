//! What a child process writes on its standard error: each line into the log, and the last of it kept, because it mostly says why
//! the process ended. Judges nothing of it.

use std::{collections::VecDeque, io::ErrorKind};

use causeway_core::name::TargetName;
use tokio::io::{AsyncRead, BufReader};

use super::framing::next_line;

/// Bytes of one line.
const LONGEST: usize = 64 * 1024;
/// Lines that are kept: tracebacks end with what went wrong, or soon after it.
const LINES: usize = 8;
/// Characters of a line that is kept.
const CHARACTERS: usize = 200;

/// Logs all lines of target `name` until there are no more; gives the last ones.
pub(super) async fn read(name: TargetName, stderr: impl AsyncRead + Unpin) -> String {
    let mut stderr = BufReader::new(stderr);
    let mut last = VecDeque::with_capacity(LINES);
    loop {
        match next_line(&mut stderr, LONGEST).await {
            Ok(Some(line)) => {
                let line = String::from_utf8_lossy(&line);
                tracing::debug!(target.name = %name, "standard error of target `{name}`: {line}");
                keep(&mut last, &line);
            }
            // Its beginning is lost and its rest comes as lines: a process whose errors nobody reads would stop.
            Err(error) if error.kind() == ErrorKind::FileTooLarge => (),
            Ok(None) | Err(_) => break,
        }
    }
    Vec::from(last).join(" / ")
}

fn keep(last: &mut VecDeque<String>, line: &str) {
    let line: String = line.trim().chars().filter(|letter| !letter.is_control()).take(CHARACTERS).collect();
    if line.is_empty() {
        return;
    }
    if last.len() == LINES {
        last.pop_front();
    }
    last.push_back(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_and_no_more() {
        let name: TargetName = "orders".parse().unwrap();
        assert_eq!(read(name.clone(), &b"one\n\n  two\x1b[0m\nthree"[..]).await, "one / two[0m / three");
        let flood = format!("{}\n{}", "x\n".repeat(100_000), "y".repeat(2 * LONGEST));
        let kept = read(name, flood.as_bytes()).await;
        assert!(kept.starts_with("x / x / ") && kept.len() <= LINES * (CHARACTERS + 3), "{kept}");
    }
}
