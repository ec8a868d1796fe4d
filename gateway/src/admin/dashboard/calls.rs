//! What clients call: the last calls, and each new one as it ends. Shows who called what and how it ended; arguments and results it
//! does not have.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use causeway_core::wire::sse;
use futures::{StreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use super::{
    Context, Fields,
    page::{Page, Tab},
    session::Session,
    time::length,
};
use crate::{
    admin::Admin,
    calls::{CallRecord, Outcome},
};

/// After so long a silence a comment keeps the connection open on its way.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(15);

/// Of the table, and whether they hold numbers.
const COLUMNS: [(&str, bool); 7] = [
    ("Time (UTC)", false),
    ("What", false),
    ("Target", false),
    ("Outcome", false),
    ("Took", true),
    ("Bytes", true),
    ("Caller", false),
];

/// Which calls somebody wants to see.
#[derive(Clone, Debug, Default)]
struct Filter {
    /// Empty: of any.
    target: String,
    wanted: Wanted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    #[default]
    All,
    /// Calls of tools, prompts and resources; not lists and what else programs say to each other.
    Uses,
    /// What did not end well.
    Failed,
}

pub(super) async fn page((State(admin), Extension(visitor)): Context, uri: Uri) -> Response {
    let filter = Filter::of(&uri);
    let records = admin.served.calls.recent();
    let shown: Vec<&Arc<CallRecord>> = records.iter().rev().filter(|record| filter.lets_through(record)).collect();
    let content = html! {
        h1 { "Calls" }
        (filters(&admin, &filter))
        p.live #live role="status" data-live={ "/calls/live?" (filter.query()) } hidden { "Connecting…" }
        noscript { p.note { "Without scripts this page shows the last calls; reload it to see newer ones." } }
        div.wide {
            table.calls {
                caption.sr { "The last calls, newest first" }
                thead {
                    tr {
                        @for (word, is_number) in COLUMNS { th.number[is_number] scope="col" { (word) } }
                    }
                }
                tbody #calls { @for record in &shown { (row(record)) } }
            }
        }
        p.empty hidden[!shown.is_empty()] {
            @if records.is_empty() { "Nobody has called yet. Calls appear here as clients make them." }
            @else { "None of the last " (records.len()) " calls is of this kind." }
        }
    };
    let page = Page { title: "Calls", tab: Tab::Calls, admin: &admin, visitor: Some(&visitor) };
    page.response(StatusCode::OK, &content)
}

fn filters(admin: &Admin, filter: &Filter) -> Markup {
    let view = admin.served.gateway.front.gateway.view();
    html! {
        form.filters method="get" action="/calls" role="search" aria-label="Which calls" {
            label { "Target "
                select name="target" data-submit="" {
                    option value="" { "all" }
                    @for target in &view.targets {
                        option value=(target.name.as_str()) selected[target.name.as_str() == filter.target] { (target.name.as_str()) }
                    }
                }
            }
            label { "Show "
                select name="show" data-submit="" {
                    @for (wanted, word, text) in Wanted::ALL { option value=(word) selected[wanted == filter.wanted] { (text) } }
                }
            }
            button type="submit" { "Apply" }
        }
    }
}

fn row(record: &CallRecord) -> Markup {
    let time = record.time();
    let (class, shape) = match record.outcome {
        Outcome::Ok => ("good", "●"),
        Outcome::InputRequired => ("idle", "◐"),
        Outcome::Cancelled => ("idle", "○"),
        Outcome::ToolError | Outcome::Throttled(_) | Outcome::Error(_) | Outcome::Status(_) => ("fair", "◆"),
        Outcome::TargetFault(_) | Outcome::Refused(_) => ("bad", "▲"),
    };
    let clock = time.get(11..19).unwrap_or(&time).to_owned();
    html! {
        tr.failed[class == "bad" || class == "fair"] {
            td.number { time datetime=(time) title=(time) { (clock) } }
            th scope="row" {
                @match &record.name { Some(name) => code { (name) }, None => span { (record.method) } }
                @if record.name.is_some() { div.of { (record.method) } }
            }
            td {
                (record.path.as_deref().or(record.target.as_deref()).unwrap_or("–"))
                @if record.attempts > 1 { span.of { " ×" (record.attempts) } }
            }
            td {
                span.badge.(class) title=(ids(record)) {
                    span aria-hidden="true" { (shape) } " " (record.outcome.word().replace('_', " "))
                }
                @if let Some(detail) = record.outcome.detail() { div.of { (detail) } }
            }
            td.number { (length(record.duration)) }
            td.number { (bytes(record.bytes_in)) " → " (bytes(record.bytes_out)) }
            td { (record.caller.as_ref().map_or("–", |caller| caller.id.as_str())) }
        }
    }
}

/// By what the same call is found in logs and traces.
fn ids(record: &CallRecord) -> String {
    let trace = record.trace_id.as_ref().map(|id| format!(", trace {id}")).unwrap_or_default();
    format!("HTTP {}, request {}{trace}", record.status, record.request_id)
}

fn bytes(count: u64) -> String {
    match count {
        0..=9_999 => count.to_string(),
        10_000..=9_999_999 => format!("{} k", count / 1000),
        _ => format!("{} M", count / 1_000_000),
    }
}

/// New calls as they end, each a row of the table, as long as the visitor's token is good; one who reads too slowly is told how many
/// were missed.
pub(super) async fn live((State(admin), Extension(visitor)): Context, uri: Uri) -> Response {
    let filter = Filter::of(&uri);
    let (ends, clock) = (Session::ends(&visitor.caller), admin.clock.clone());
    let is_over = move || ends.is_some_and(|ends| clock.now() >= ends);
    let records = admin.served.calls.follow();
    let hello = stream::iter([Bytes::from_static(b"event: ready\ndata: \n\n")]);
    let news = stream::unfold((records, filter, is_over), |(mut records, filter, is_over)| async move {
        let event = next(&mut records, &filter).await.filter(|_| !is_over())?;
        Some((event, (records, filter, is_over)))
    });
    let stopping = admin.stopping.clone();
    let events = hello.chain(news).take_until(stopping.cancelled_owned()).map(Ok::<_, Infallible>);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // Proxies such as nginx must pass each event on at once.
        (http::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(events)).into_response()
}

/// The next event; none when the gateway ends.
async fn next(records: &mut Receiver<Arc<CallRecord>>, filter: &Filter) -> Option<Bytes> {
    loop {
        match timeout(KEEP_ALIVE, records.recv()).await {
            Err(_) => return Some(Bytes::from_static(b": keep-alive\n\n")),
            Ok(Ok(record)) if filter.lets_through(&record) => {
                return Some(sse::encode(&row(&record).into_string()).into());
            }
            Ok(Ok(_)) => (),
            Ok(Err(RecvError::Lagged(missed))) => return Some(format!("event: missed\ndata: {missed}\n\n").into()),
            Ok(Err(RecvError::Closed)) => return None,
        }
    }
}

impl Wanted {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::All, "all", "everything"),
        (Self::Uses, "uses", "tools, prompts, resources"),
        (Self::Failed, "failed", "what failed"),
    ];
}

impl Filter {
    fn of(uri: &Uri) -> Self {
        let fields = Fields::parse(uri.query().unwrap_or_default().as_bytes());
        let wanted = Wanted::ALL.into_iter().find(|(_, word, _)| *word == fields.one("show"));
        Self { target: fields.one("target").to_owned(), wanted: wanted.map(|(wanted, ..)| wanted).unwrap_or_default() }
    }

    fn query(&self) -> String {
        let word = Wanted::ALL.into_iter().find(|(wanted, ..)| *wanted == self.wanted).map_or("", |(_, word, _)| word);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("target", &self.target).append_pair("show", word);
        query.finish()
    }

    fn lets_through(&self, record: &CallRecord) -> bool {
        let of_target = self.target.is_empty() || record.target.as_deref() == Some(self.target.as_str());
        let of_kind = match self.wanted {
            Wanted::All => true,
            Wanted::Uses => matches!(&*record.method, "tools/call" | "prompts/get" | "resources/read"),
            Wanted::Failed => !matches!(record.outcome, Outcome::Ok | Outcome::InputRequired),
        };
        of_target && of_kind
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::broadcast;

    use super::*;
    use crate::calls::RequestId;

    fn record(outcome: Outcome) -> Arc<CallRecord> {
        Arc::new(CallRecord {
            at: Duration::from_secs(1_785_240_000),
            request_id: RequestId::given(&http::HeaderValue::from_static("r-1")).unwrap(),
            trace_id: None,
            caller: None,
            endpoint: "/mcp".into(),
            method: "tools/call".into(),
            name: Some("<b>add</b>".into()),
            target: Some("calculator".into()),
            tool: Some("add".into()),
            path: None,
            attempts: 1,
            outcome,
            status: 200,
            first_byte: None,
            duration: Duration::from_millis(12),
            execution: Duration::from_millis(10),
            bytes_in: 7,
            bytes_out: 12_345,
        })
    }

    #[tokio::test]
    async fn one_who_reads_too_slowly_is_told_so() {
        let (sender, mut records) = broadcast::channel(2);
        for _ in 0..5 {
            sender.send(record(Outcome::Ok)).unwrap();
        }
        drop(sender);
        let filter = Filter::default();
        assert_eq!(next(&mut records, &filter).await.unwrap(), "event: missed\ndata: 3\n\n");
        for _ in 0..2 {
            assert!(next(&mut records, &filter).await.unwrap().starts_with(b"event: message\ndata: <tr"));
        }
        assert_eq!(next(&mut records, &filter).await, None);
    }

    #[test]
    fn a_row_is_marked_where_the_call_failed() {
        let failed = row(&record(Outcome::TargetFault("timeout"))).into_string();
        assert!(failed.starts_with("<tr class=\"failed\">") && failed.contains("target fault"), "{failed}");
        assert!(failed.contains("&lt;b&gt;add&lt;/b&gt;") && failed.contains("12 k"), "{failed}");
        assert!(!row(&record(Outcome::Ok)).into_string().contains("failed"));
    }

    #[test]
    fn a_filter_goes_by_target_and_outcome() {
        let check = |query: &str, outcome, passes| {
            let filter = Filter::of(&format!("/calls?{query}").parse().unwrap());
            assert_eq!(filter.lets_through(&record(outcome)), passes, "{query}");
        };
        check("", Outcome::Ok, true);
        check("target=calculator&show=uses", Outcome::Ok, true);
        check("target=hello", Outcome::Ok, false);
        check("show=failed", Outcome::Ok, false);
        check("show=failed", Outcome::ToolError, true);
    }
}
