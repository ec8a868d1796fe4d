//! Progress tokens. Where the calls of several clients share a session or a process, each goes under a token of its own, and
//! its notifications come back under the client's.
//!
//! Source: MCP 2025-11-25, basic/utilities/progress.

use crate::wire::{Envelope, ObjectEdit};

/// `params` with `id` as progress token where they hold one, and the token (JSON text) that they held.
pub fn with_own_token(params: &str, id: u64) -> Result<(String, Option<String>), serde_json::Error> {
    let mut edit = ObjectEdit::parse(params)?;
    let Some(mut meta) = edit.get("_meta").and_then(|meta| ObjectEdit::parse(meta).ok()) else {
        return Ok((params.to_owned(), None));
    };
    let Some(token) = meta.get("progressToken").map(ToOwned::to_owned) else {
        return Ok((params.to_owned(), None));
    };
    meta.set("progressToken", &id.to_string());
    edit.set("_meta", &meta.finish());
    Ok((edit.finish(), Some(token)))
}

/// The call, by its own token, that a `notifications/progress` is about.
pub fn progress_of(message: &Envelope) -> Option<u64> {
    ObjectEdit::parse(message.params()?).ok()?.get("progressToken")?.parse().ok()
}

/// `message` with `token` (JSON text) in the place of its progress token; `None` where it has none.
pub fn with_token(message: &Envelope, token: &str) -> Option<Envelope> {
    let mut params = ObjectEdit::parse(message.params()?).ok()?;
    params.get("progressToken")?;
    params.set("progressToken", token);
    message.with_params(&params.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_exchanged_and_restored() {
        let (params, token) = with_own_token(r#"{"a":1e2,"_meta":{"progressToken":"p" ,"x":0}}"#, 7).unwrap();
        assert_eq!(params, r#"{"a":1e2,"_meta":{"progressToken":7 ,"x":0}}"#);
        assert_eq!(token.as_deref(), Some(r#""p""#));
        assert_eq!(with_own_token(r#"{"a":1}"#, 7).unwrap(), (r#"{"a":1}"#.to_owned(), None));
        let progress =
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1e0,"progressToken":7}}"#;
        let progress = Envelope::parse(progress.into()).unwrap();
        assert_eq!(progress_of(&progress), Some(7));
        let restored = with_token(&progress, r#""p""#).unwrap();
        assert_eq!(restored.params(), Some(r#"{"progress":1e0,"progressToken":"p"}"#));
    }
}
