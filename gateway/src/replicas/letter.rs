//! What one replica writes to another: a sealed part that says who called, how and for how long it is good, and after it the body of
//! the client's request as it came, which the sealed part is bound to. Only who has the session keys can write one, and only the
//! replica that it is for can read it.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use causeway_core::seal::Sealer;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Forwarded;
use crate::{calls, inbound::Caller, opaque::digest_of};

/// Keeps letters apart from other sealed texts.
const PURPOSE: &str = "replica";
/// How long a letter is good: for clocks that differ, and no longer.
const LIFE: Duration = Duration::from_secs(60);
/// Between the sealed part and the body; it stands in no Base64.
pub(super) const END: u8 = b'\n';
/// What of the client's headers fronts and traces read, beside those that begin with `mcp-`.
const HEADERS: [&str; 5] = ["accept", "x-request-id", "traceparent", "tracestate", "baggage"];
const MCP: &str = "mcp-";

/// A request that another replica has let in.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) method: Method,
    pub(crate) toolset: Option<String>,
    pub(crate) caller: Caller,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The sealed part of a letter to this replica.
#[derive(Debug)]
pub(crate) struct Opened(Sealed);

/// It was not written by a replica, or not to this one, or long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unread;

#[derive(Debug, Deserialize, Serialize)]
struct Sealed {
    #[serde(rename = "m")]
    method: String,
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    toolset: Option<String>,
    /// Id, key and claims of the caller.
    #[serde(rename = "c")]
    caller: (String, String, Map<String, Value>),
    /// Values in Base64: they may be any bytes.
    #[serde(rename = "h")]
    headers: Vec<(String, String)>,
    /// SHA-256 of the body.
    #[serde(rename = "b")]
    body: String,
}

/// A letter to the replica at `home`.
pub(super) fn write(sealer: &Sealer, home: &str, now: Duration, request: Forwarded<'_>) -> Bytes {
    let caller = request.caller;
    let passes = |name: &HeaderName| HEADERS.contains(&name.as_str()) || name.as_str().starts_with(MCP);
    let headers = request.headers.iter().filter(|(name, _)| passes(name));
    let text = |value: &HeaderValue| URL_SAFE_NO_PAD.encode(value.as_bytes());
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    // Both replicas call it the same in their logs.
    if let Some(id) = calls::request_id().filter(|_| !request.headers.contains_key("x-request-id")) {
        headers.push(("x-request-id".to_owned(), URL_SAFE_NO_PAD.encode(&*id)));
    }
    let sealed = Sealed {
        method: request.method.to_string(),
        toolset: request.toolset.map(ToOwned::to_owned),
        caller: (caller.id.clone(), caller.key.clone(), caller.claims().clone()),
        headers,
        body: digest_of(request.body),
    };
    let sealed = sealer.seal(PURPOSE, home, now + LIFE, &sealed);
    [sealed.as_bytes(), &[END], request.body].concat().into()
}

/// What `sealed`, the part of a letter before [`END`], says, if it is one to this replica, which is at `own`.
pub(super) fn open(sealer: &Sealer, own: &str, now: Duration, sealed: &[u8]) -> Result<Opened, Unread> {
    let text = std::str::from_utf8(sealed).map_err(|_| Unread)?;
    let opened = sealer.open(PURPOSE, own, now, text).map(Opened);
    opened.map_err(|why| {
        tracing::debug!(%why, "refused what was to be passed on");
        Unread
    })
}

impl Opened {
    /// The letter that has this body.
    ///
    /// # Errors
    /// [`Unread`]: it has another one.
    pub(crate) fn holding(self, body: Bytes) -> Result<Letter, Unread> {
        let Self(sealed) = self;
        if digest_of(&body) != sealed.body {
            return Err(Unread);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in sealed.headers {
            let value = URL_SAFE_NO_PAD.decode(value).map_err(|_| Unread)?;
            let name = name.parse::<HeaderName>().map_err(|_| Unread)?;
            // As often as the client sent it: that is for the front to judge.
            headers.append(name, HeaderValue::from_bytes(&value).map_err(|_| Unread)?);
        }
        let (id, key, claims) = sealed.caller;
        let method = sealed.method.parse().map_err(|_| Unread)?;
        let caller = Caller::let_in_elsewhere(id, key, claims);
        Ok(Letter { method, toolset: sealed.toolset, caller, headers, body })
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    const NOW: Duration = Duration::from_secs(1000);
    const HOME: &str = "http://10.0.0.7:8080";

    fn sealer(key: &str) -> Sealer {
        Sealer::new([key.as_bytes()])
    }

    fn read(key: &str, own: &str, now: Duration, letter: &[u8]) -> Result<Letter, Unread> {
        let end = letter.iter().position(|byte| *byte == END).ok_or(Unread)?;
        open(&sealer(key), own, now, &letter[..end])?.holding(letter[end + 1..].to_vec().into())
    }

    fn written() -> Bytes {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("accept", &b"text/event-stream"[..]),
            ("authorization", b"Bearer secret"),
            ("mcp-session-id", b"s"),
            ("mcp-param-a", b"1"),
            ("mcp-param-a", b"\xff"),
            ("cookie", b"c"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        let caller = Caller::let_in_elsewhere("alice".into(), "\0t\0alice".into(), Map::new());
        let body = Bytes::from_static(b"{\"a\":\n1}");
        let (method, toolset) = (&Method::POST, Some("t"));
        let (headers, body, broken, closing) = (&headers, &body, "", &CancellationToken::new());
        let request = Forwarded { method, toolset, caller: &caller, headers, body, broken, closing };
        write(&sealer("key"), HOME, NOW, request)
    }

    #[test]
    fn it_arrives_as_it_was_without_the_callers_token() {
        let read = read("key", HOME, NOW, &written()).unwrap();
        assert_eq!((read.method, read.toolset.as_deref(), &*read.body), (Method::POST, Some("t"), &b"{\"a\":\n1}"[..]));
        assert_eq!((&*read.caller.id, &*read.caller.key), ("alice", "\0t\0alice"));
        let mut headers: Vec<_> = read.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        headers.sort_unstable();
        let expected: [(&str, &[u8]); 4] = [
            ("accept", b"text/event-stream"),
            ("mcp-param-a", b"1"),
            ("mcp-param-a", b"\xff"),
            ("mcp-session-id", b"s"),
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn nobody_else_can_write_read_change_or_keep_one() {
        let letter = written();
        let check = |key: &str, own: &str, now: Duration, letter: &Bytes| {
            assert_eq!(read(key, own, now, letter).err(), Some(Unread));
        };
        check("other key", HOME, NOW, &letter);
        check("key", "http://10.0.0.8:8080", NOW, &letter);
        check("key", HOME, NOW + LIFE, &letter);
        check("key", HOME, NOW, &[&letter[..], b" "].concat().into());
        check("key", HOME, NOW, &Bytes::from_static(b"no letter"));
        check("key", HOME, NOW, &Bytes::from_static(b"\xff\n{}"));
        // A session is sealed with the same keys, and is no letter.
        let session = sealer("key").seal("session", HOME, NOW + LIFE, &7);
        check("key", HOME, NOW, &format!("{session}\n{{}}").into());
    }
}
