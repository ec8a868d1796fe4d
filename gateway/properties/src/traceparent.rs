//! `traceparent` of W3C Trace Context.

use causeway_core::trace::TraceParent;

/// What is taken can be written, and is then the same; nothing of it is zero.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(parent) = text.parse::<TraceParent>() else { return };
    assert!(parent.trace_id != 0 && parent.span_id != 0);
    let written = parent.to_string();
    assert_eq!(written.len(), 55);
    assert_eq!(written.parse(), Ok(parent));
    assert_eq!(&written[2..], &text[2..55], "it is another than it was");
}
