//! What is asked: one tool call or list in each form of MCP, as bytes, and the result that the upstream gives. Sends nothing.

use bytes::Bytes;
use causeway_core::era::{self, headers};
use clap::ValueEnum;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};

/// How client and upstream speak MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Speaks {
    /// 2026-07-28.
    Modern,
    /// 2025-11-25, in a session from `initialize` on.
    Session,
    /// 2025-11-25, each request for itself.
    Stateless,
}

/// How the upstream answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// One JSON body with its length.
    Json,
    /// One server-sent event in a chunked body.
    Events,
}

/// Both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Form {
    pub speaks: Speaks,
    pub answers: Answers,
}

/// How large a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// Some 100 bytes.
    Small,
    /// 20,000 bytes of text.
    Medium,
    /// 1,000,000 bytes of text.
    Large,
}

/// What makes one request different from every other: its id, and the text that the tool is to give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u64);

/// Decimal digits of an id: all have as many, so that answers of one kind differ in no other byte.
const ID_DIGITS: usize = 10;
/// Hexadecimal digits of a text.
const TEXT_DIGITS: usize = 16;

/// A request of one kind, ready but for its mark.
#[derive(Clone, Debug)]
pub struct Request {
    pub headers: HeaderMap,
    before_id: String,
    /// Between the id and the text, or the rest where there is no text.
    between: String,
    after_text: Option<String>,
}

impl Form {
    /// All of them, the one that targets are measured by first.
    pub const ALL: [Self; 6] = [
        Self { speaks: Speaks::Modern, answers: Answers::Json },
        Self { speaks: Speaks::Modern, answers: Answers::Events },
        Self { speaks: Speaks::Session, answers: Answers::Json },
        Self { speaks: Speaks::Session, answers: Answers::Events },
        Self { speaks: Speaks::Stateless, answers: Answers::Json },
        Self { speaks: Speaks::Stateless, answers: Answers::Events },
    ];

    /// Letters and hyphens: a name of a target, and a part of a path.
    pub fn name(self) -> &'static str {
        match (self.speaks, self.answers) {
            (Speaks::Modern, Answers::Json) => "modern-json",
            (Speaks::Modern, Answers::Events) => "modern-events",
            (Speaks::Session, Answers::Json) => "session-json",
            (Speaks::Session, Answers::Events) => "session-events",
            (Speaks::Stateless, Answers::Json) => "stateless-json",
            (Speaks::Stateless, Answers::Events) => "stateless-events",
        }
    }
}

impl Size {
    /// Smallest first.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// The tool of the upstream whose results are so large.
    pub fn tool(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }

    /// Bytes of filling beside the text that comes back.
    pub fn filling(self) -> usize {
        match self {
            Self::Small => 0,
            Self::Medium => 20_000,
            Self::Large => 1_000_000,
        }
    }
}

impl Mark {
    /// The mark of the `number`th request of worker `worker` of a load.
    pub fn new(worker: usize, number: u64) -> Self {
        Self(1_000_000_000 + worker as u64 * 10_000_000 + number % 10_000_000)
    }

    /// JSON text.
    pub fn id(self) -> String {
        format!("{:0ID_DIGITS$}", self.0)
    }

    /// Follows from the id, but does not look like it: an answer that mixes two requests is found out.
    pub fn text(self) -> String {
        format!("{:0TEXT_DIGITS$x}", self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Request {
    /// `tools/call` of a tool that gives its argument `text` back.
    pub fn call(speaks: Speaks, tool: &str) -> Self {
        let name = serde_json::Value::from(tool);
        let params = format!(r#""name":{name},"arguments":{{"text":""#);
        Self::new(speaks, "tools/call", &params, Some("\"}"), Some(tool))
    }

    /// `tools/list`, its first page.
    pub fn list(speaks: Speaks) -> Self {
        Self::new(speaks, "tools/list", "", None, None)
    }

    /// `subscriptions/listen` for changed lists of tools.
    pub fn listen() -> Self {
        let params = r#""notifications":{"toolsListChanged":true}"#;
        Self::new(Speaks::Modern, "subscriptions/listen", params, None, None)
    }

    /// `initialize`.
    pub fn initialize() -> Self {
        let params = format!(
            r#""protocolVersion":"{}","capabilities":{{}},"clientInfo":{{"name":"bench","version":"1"}}"#,
            era::LEGACY
        );
        let mut request = Self::new(Speaks::Stateless, "initialize", &params, None, None);
        request.headers.remove(headers::VERSION);
        request
    }

    fn new(speaks: Speaks, method: &str, params: &str, rest: Option<&str>, named: Option<&str>) -> Self {
        let mut map = HeaderMap::new();
        map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        map.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        let meta = match speaks {
            Speaks::Modern => {
                map.insert(headers::VERSION, HeaderValue::from_static(era::MODERN));
                map.insert(headers::METHOD, text_value(method));
                if let Some(named) = named {
                    map.insert(headers::NAME, text_value(named));
                }
                format!(
                    r#""_meta":{{"{}":"{}","{}":{{"name":"bench","version":"1"}},"{}":{{}}}}"#,
                    era::META_VERSION,
                    era::MODERN,
                    era::META_CLIENT_INFO,
                    era::META_CAPABILITIES
                )
            }
            Speaks::Session | Speaks::Stateless => {
                map.insert(headers::VERSION, HeaderValue::from_static(era::LEGACY));
                String::new()
            }
        };
        let comma = |whole: &str| if whole.is_empty() || meta.is_empty() { "" } else { "," };
        let head = format!(r#","method":"{method}","params":{{{params}"#);
        let (between, after_text) = match rest {
            Some(rest) => (head, Some(format!("{rest}{}{meta}}}}}", comma(rest)))),
            None => (format!("{head}{}{meta}}}}}", comma(params)), None),
        };
        Self { headers: map, before_id: r#"{"jsonrpc":"2.0","id":"#.to_owned(), between, after_text }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.insert(name, text_value(value));
        self
    }

    /// The body under this mark.
    pub fn body(&self, mark: Mark) -> Bytes {
        let (id, text) = (mark.id(), mark.text());
        let text = self.after_text.as_ref().map(|after| [text.as_str(), after]);
        let parts = [self.before_id.as_str(), &id, &self.between];
        parts.into_iter().chain(text.into_iter().flatten()).collect::<String>().into()
    }
}

/// The result of a tool of the upstream, without the brackets around and the text that comes back: what stands before the text and
/// what after it.
pub fn result(speaks: Speaks, size: Size) -> (String, String) {
    let kind = match speaks {
        Speaks::Modern => r#""resultType":"complete","#,
        Speaks::Session | Speaks::Stateless => "",
    };
    let before = format!(r#"{{{kind}"content":[{{"type":"text","text":""#);
    let filling = match size.filling() {
        0 => String::new(),
        bytes => format!(r#",{{"type":"text","text":"{}"}}"#, filling(bytes)),
    };
    (before, format!(r#""}}{filling}],"isError":false}}"#))
}

/// Text as tools give it, as it stands in JSON: lines, quotation marks, a letter beyond ASCII in each line.
fn filling(bytes: usize) -> String {
    let line = r#"2026-07-28T12:00:00Z INFO \"orders\" took 12 ms at Zürich: 200, 1834 bytes, no warning\n"#;
    let mut text = line.repeat(bytes / line.len());
    text.extend(std::iter::repeat_n('.', bytes - text.len()));
    text
}

fn text_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("names and numbers of the benchmark fit a header")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn requests_are_json_and_hold_their_mark() {
        let mark = Mark::new(255, 7);
        for speaks in [Speaks::Modern, Speaks::Session, Speaks::Stateless] {
            for request in [Request::call(speaks, "t___small"), Request::list(speaks)] {
                let body: Value = serde_json::from_slice(&request.body(mark)).unwrap();
                assert_eq!(body["id"].to_string(), mark.id());
                assert_eq!(body["params"]["_meta"].is_object(), speaks == Speaks::Modern);
            }
            let call: Value = serde_json::from_slice(&Request::call(speaks, "t___small").body(mark)).unwrap();
            assert_eq!(call["params"]["arguments"]["text"], mark.text());
            assert_eq!(call["params"]["name"], "t___small");
        }
        for request in [Request::listen(), Request::initialize()] {
            let body: Value = serde_json::from_slice(&request.body(mark)).unwrap();
            assert!(body["params"].is_object());
        }
    }

    #[test]
    fn results_have_their_size() {
        for size in Size::ALL {
            let (before, after) = result(Speaks::Modern, size);
            let result: Value = serde_json::from_str(&[&before, "abc", after.as_str()].concat()).unwrap();
            assert_eq!(result["content"][0]["text"], "abc");
            assert!(before.len() + after.len() - size.filling() < 150);
        }
    }

    #[test]
    fn marks_are_of_one_length_and_differ() {
        let marks = [Mark::new(0, 0), Mark::new(0, 1), Mark::new(1, 0), Mark::new(255, 9_999_999)];
        for mark in marks {
            assert_eq!((mark.id().len(), mark.text().len()), (ID_DIGITS, TEXT_DIGITS));
        }
        let mut texts = marks.map(Mark::text).to_vec();
        texts.dedup();
        assert_eq!(texts.len(), marks.len());
    }
}
