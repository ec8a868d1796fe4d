//! What an answer says beside its rows, such as files that were not read: a line each, at the end of the text. Decides
//! nothing.

/// The lines, after an empty one.
pub(super) fn text(notes: &[String]) -> String {
    let lines: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}
