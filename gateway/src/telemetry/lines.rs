//! Log lines that say which call they are about: its request id, trace, caller, target and tool stand at the end of each line
//! that is written while one is worked on. Costs nothing where no line is written.

use std::fmt;

use serde_json::Value;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::calls;

/// Lines as `inner` writes them, and the call.
#[derive(Debug)]
pub(super) struct OfCalls<F> {
    pub(super) inner: F,
    /// A line is a JSON object.
    pub(super) json: bool,
}

impl<S, N, F> FormatEvent<S, N> for OfCalls<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let labels = calls::labels();
        if labels.is_empty() {
            return self.inner.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        // A field of the line's own counts.
        let new = labels.iter().filter(|(name, _)| !self.json || !line.contains(&format!("\"{name}\":")));
        match line.strip_suffix('}').filter(|_| self.json) {
            Some(open) => {
                writer.write_str(open)?;
                for (name, text) in new {
                    write!(writer, ",\"{name}\":{}", Value::from(&**text))?;
                }
                writer.write_str("}\n")
            }
            None => {
                writer.write_str(line)?;
                for (name, text) in new {
                    write!(writer, " {name}={}", text.escape_debug())?;
                }
                writer.write_char('\n')
            }
        }
    }
}
