//! Where a request stands in a trace that spans several programs: W3C's `traceparent`, read and written. Makes no identifiers.
//!
//! Source: W3C Trace Context, level 2, section 3.2; MCP 2026-07-28, basic/index, "`_meta`" (`traceparent`, `tracestate`, `baggage`).

use std::{fmt, str::FromStr};

/// The names under which it stands in HTTP headers and in `_meta`.
pub const PARENT: &str = "traceparent";
/// What tracing systems add for themselves.
pub const STATE: &str = "tracestate";
/// What applications add for each other (W3C Baggage).
pub const BAGGAGE: &str = "baggage";

/// Of [`TraceParent::flags`]: the caller records its part.
const SAMPLED: u8 = 1;

/// The trace and the part of it that a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// Never 0.
    pub trace_id: u128,
    /// Never 0.
    pub span_id: u64,
    pub flags: u8,
}

/// The text is no `traceparent`; whoever gets such a one starts a trace of his own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no traceparent")]
pub struct NotATraceParent;

impl TraceParent {
    /// Whether the caller records its part, so that the rest should be recorded too.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The flags of a part that is recorded, or is not.
    pub fn flags_of(sampled: bool) -> u8 {
        if sampled { SAMPLED } else { 0 }
    }
}

impl FromStr for TraceParent {
    type Err = NotATraceParent;

    fn from_str(text: &str) -> Result<Self, NotATraceParent> {
        let fields = || {
            let version = hex(text.get(..2)?)?;
            let (trace_id, span_id) = (hex(text.get(3..35)?)?, hex(text.get(36..52)?)?);
            let flags = hex(text.get(53..55)?)?;
            let separated = [2, 35, 52].iter().all(|at| text.as_bytes()[*at] == b'-');
            // A later version may have more fields.
            let ends = text.len() == 55 || (version > 0 && text.as_bytes()[55] == b'-');
            (separated && ends && version != 0xff && trace_id != 0 && span_id != 0)
                .then_some((trace_id, span_id, flags))
        };
        let (trace_id, span_id, flags) = fields().ok_or(NotATraceParent)?;
        Ok(Self { trace_id, span_id: span_id as u64, flags: flags as u8 })
    }
}

/// A number of lower-case hexadecimal digits alone.
fn hex(digits: &str) -> Option<u128> {
    let fits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    u128::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(fits))
}

impl fmt::Display for TraceParent {
    /// In version 00.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn it_is_written_as_it_was_read() {
        let parent: TraceParent = GIVEN.parse().unwrap();
        assert_eq!((parent.span_id, parent.is_sampled()), (0x00f0_67aa_0ba9_02b7, true));
        assert_eq!(parent.to_string(), GIVEN);
    }

    #[test]
    fn what_the_standard_refuses_is_refused() {
        let check = |text: &str, good: bool| assert_eq!(text.parse::<TraceParent>().is_ok(), good, "{text}");
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true);
        check("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-holds", true);
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false);
        check("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", false);
        check("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false);
        check("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false);
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false);
        check("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false);
        check("00-4bf92f3577b34da6a3ce929d0e0e473+-00f067aa0ba902b7-01", false);
        check("00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01", false);
        check("00-é", false);
        check("", false);
    }
}
