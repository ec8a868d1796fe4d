//! The pages that people see: the question whether a client may act for them, and what went wrong. Plain HTML: no script, nothing
//! from elsewhere, in no frame; and whatever a client says of itself is escaped.
//!
//! Source: MCP "Security Best Practices", "Consent UI Requirements"; RFC 6749, section 10.13.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::{OAuthError, authorize::Request, redirect::Kind};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--accent:#1a5fb4}\
body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:8vh auto;padding:0 1.2rem}\
h1{font-size:1.35rem;line-height:1.3}\
dl{border:1px solid var(--line);border-radius:.5rem;padding:.9rem 1.1rem;margin:1.2rem 0}\
dt{font-size:.85rem;opacity:.75}dd{margin:0 0 .7rem;overflow-wrap:anywhere}dd:last-child{margin-bottom:0}\
code{font-family:ui-monospace,monospace;font-size:.92em}\
p.note{border-left:3px solid #c64600;padding-left:.8rem}\
button{font:inherit;padding:.5rem 1.3rem;border-radius:.4rem;border:1px solid var(--line);cursor:pointer;margin-right:.6rem}\
button.go{background:var(--accent);border-color:var(--accent);color:#fff}\
button:focus-visible{outline:3px solid #99c1f1;outline-offset:2px}";

/// No `form-action`: Chromium holds it against every redirect that follows the form, and a login ends at the client.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{style}'; frame-ancestors 'none'; base-uri 'none'");
    HeaderValue::from_str(&policy).expect("base64 is ASCII")
});

/// Asks whether the client may act for the user at the gateway called `gateway`. The answer goes to `action` with `form`, which is made
/// of letters, digits, `-` and `_`.
pub(super) fn consent(gateway: &str, action: &str, request: &Request, issuer: &str, form: &str) -> Response {
    let gateway = escaped(gateway);
    let who = escaped(&request.client.shown(&request.redirect_uri));
    // In a place of its own, which its words cannot leave, and letters that run the other way cannot turn.
    let name =
        request.client.name().map(|name| format!("<dt>It calls itself</dt><dd><bdi>{}</bdi></dd>", escaped(name)));
    let name = name.unwrap_or_default();
    let place = escaped(&request.redirect_uri.text);
    let scopes = match request.asked.scope.as_str() {
        "" => "What the issuer grants".to_owned(),
        scopes => {
            scopes.split(' ').map(|scope| format!("<code>{}</code>", escaped(scope))).collect::<Vec<_>>().join(" ")
        }
    };
    let note = match request.redirect_uri.kind {
        Kind::Loopback | Kind::Scheme => {
            "<p class=\"note\">Which program it is cannot be checked. Go on only if you have just begun to log in, in a program on this \
             computer that you trust.</p>"
        }
        Kind::Web => "<p class=\"note\">Go on only if you have just begun to log in there.</p>",
    };
    let (action, issuer) = (escaped(action), escaped(issuer));
    page(
        StatusCode::OK,
        &format!("Log in to {gateway}"),
        &format!(
            "<h1>May this client use the tools of {gateway} in your name?</h1>\
             <dl><dt>Who asks</dt><dd>{who}</dd>{name}<dt>The answer goes to</dt><dd><code>{place}</code></dd>\
             <dt>It asks for</dt><dd>{scopes}</dd><dt>You log in at</dt><dd>{issuer}</dd></dl>{note}\
             <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"request\" value=\"{form}\">\
             <button class=\"go\" name=\"answer\" value=\"allow\">Go on and log in</button>\
             <button name=\"answer\" value=\"deny\">Cancel</button></form>"
        ),
    )
}

/// Says why there is no login. The client is not told, since it is not known who it is.
pub(super) fn problem(gateway: &str, error: &OAuthError) -> Response {
    let (gateway, text, code) = (escaped(gateway), escaped(&error.to_string()), error.code.as_str());
    let body = format!("<h1>You cannot log in to {gateway} this way</h1><p>{text}</p><p><code>{code}</code></p>");
    page(StatusCode::BAD_REQUEST, "No login", &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body>{body}</body></html>"
    );
    let fixed = |text: &'static str| HeaderValue::from_static(text);
    let headers: [(HeaderName, HeaderValue); 6] = [
        (header::CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, fixed("no-store")),
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
        (header::X_FRAME_OPTIONS, fixed("DENY")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        // The form says where it comes from, and nobody else learns the address, in which a state stands.
        (header::REFERRER_POLICY, fixed("same-origin")),
    ];
    (status, headers, text).into_response()
}

/// `text` as HTML shows it, in an element or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_cannot_become_html() {
        assert_eq!(escaped(r#"<a href="x" b='y'>&"#), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    }
}
