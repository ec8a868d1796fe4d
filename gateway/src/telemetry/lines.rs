//! Log lines that say which call they are about: its request id, trace, caller, target and tool stand at the end of each line
//! that is written while one is worked on. Costs nothing where no line is written. What a peer said begins no line of its own.

use std::{borrow::Cow, fmt};

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
        if labels.is_empty() && self.json {
            return self.inner.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        // A field of the line's own counts.
        let own = |name: &str| if self.json { format!("\"{name}\":") } else { format!(" {name}=") };
        let new = labels.iter().filter(|(name, _)| !line.contains(&own(name)));
        match line.strip_suffix('}').filter(|_| self.json) {
            Some(open) => {
                writer.write_str(open)?;
                for (name, text) in new {
                    write!(writer, ",\"{name}\":{}", Value::from(&**text))?;
                }
                writer.write_str("}\n")
            }
            None => {
                writer.write_str(&within_one(line))?;
                for (name, text) in new {
                    write!(writer, " {name}={}", text.escape_debug())?;
                }
                writer.write_char('\n')
            }
        }
    }
}

/// `line` with what follows a line end within it set back, so that it cannot be taken for a line: those begin with a time.
fn within_one(line: &str) -> Cow<'_, str> {
    match line.contains(['\n', '\r']) {
        true => line.replace("\r\n", "\n").replace('\r', "\u{fffd}").replace('\n', "\n    ").into(),
        false => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use axum::response::{IntoResponse, Response};
    use causeway_oidc::clock::Clock;
    use tracing_subscriber::fmt::format::{Format, JsonFields};

    use super::*;
    use crate::calls::Calls;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that are written on the way of a call.
    async fn lines(subscriber: impl Subscriber + Send + Sync, written: Written) -> String {
        let guard = tracing::subscriber::set_default(subscriber);
        tracing::info!("before");
        let headers = [("x-request-id".parse().unwrap(), "r-1".parse().unwrap())].into_iter().collect();
        let answer = async {
            calls::note(|call| call.is_for("tools/call"));
            tracing::info!(target.name = "t", "within \"quotes\"");
            tracing::info!(request_id = "own", "with its own");
            tracing::info!("said `{}`", "no\r\nINFO forged\rINFO too\u{1b}[2J");
            Response::new(axum::body::Body::empty()).into_response()
        };
        drop(Calls::new(Clock::system()).begin(&headers, "/mcp".into()).unwrap().watch(answer).await);
        drop(guard);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn a_line_names_its_call() {
        let written = Written::default();
        let to = written.clone();
        let inner = Format::default().json().flatten_event(true).without_time().with_target(false);
        let subscriber = tracing_subscriber::fmt()
            .event_format(OfCalls { inner, json: true })
            .fmt_fields(JsonFields::new())
            .with_writer(move || to.clone())
            .finish();
        insta::assert_snapshot!(lines(subscriber, written).await, @r#"
        {"level":"INFO","message":"before"}
        {"level":"INFO","message":"within \"quotes\"","target.name":"t","request_id":"r-1"}
        {"level":"INFO","message":"with its own","request_id":"own"}
        {"level":"INFO","message":"said `no\r\nINFO forged\rINFO too\u001b[2J`","request_id":"r-1"}
        "#);
        let written = Written::default();
        let to = written.clone();
        let inner = Format::default().without_time().with_target(false).with_ansi(false);
        let subscriber = tracing_subscriber::fmt()
            .event_format(OfCalls { inner, json: false })
            .with_writer(move || to.clone())
            .finish();
        insta::assert_snapshot!(lines(subscriber, written).await, @r#"
        INFO before
        INFO within "quotes" target.name="t" request_id=r-1
        INFO with its own request_id="own"
        INFO said `no
           INFO forged�INFO too\x1b[2J` request_id=r-1
        "#);
    }
}
