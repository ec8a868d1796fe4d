//! Lines of a client on standard input.

use causeway::parsers::lines;

/// The most that one line may have here; small, so that inputs come to it.
const LIMIT: usize = 64;

/// Two bytes that say where the stream is cut into pieces, and then the stream.
///
/// The lines are the same wherever it is cut, and are those that splitting at line ends gives; one over the limit is passed over,
/// and takes nothing of the next with it.
pub fn check(data: &[u8]) {
    let Some((&[first, second], stream)) = data.split_first_chunk() else { return };
    let whole = lines(&[stream], LIMIT);
    let cut = |at: u8| usize::from(at).min(stream.len());
    let (from, to) = (cut(first.min(second)), cut(first.max(second)));
    assert_eq!(lines(&[&stream[..from], &stream[from..to], &stream[to..]], LIMIT), whole);
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(lines(&bytes, LIMIT), whole);
    let mut expected: Vec<&[u8]> = stream.split(|byte| *byte == b'\n').collect();
    if expected.last().is_some_and(|last| last.is_empty()) {
        expected.pop();
    }
    let expected: Vec<_> = expected.into_iter().map(|line| (line.len() <= LIMIT).then(|| line.to_vec())).collect();
    assert_eq!(whole, expected);
}
