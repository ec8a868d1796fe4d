//! How the bytes of an input become the several values that a parser takes: lines first, whatever is left last. So the kept
//! inputs can be read and written by people.

/// The first `N` lines of an input, without their ends, and all that follows them. `None` where it is no text, which is nothing
/// that a parser of texts is ever given.
pub(crate) fn texts<const N: usize>(data: &[u8]) -> Option<([&str; N], &str)> {
    let mut rest = std::str::from_utf8(data).ok()?;
    let lines = std::array::from_fn(|_| {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = after;
        line
    });
    Some((lines, rest))
}
