//! Signing in where the admin port is not on loopback: a person pastes a token that the gateway accepts. The same authorizer judges
//! it that judges clients.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http::{Method, StatusCode, header, request::Parts};
use maud::{Markup, html};

use super::{
    super::{Admin, Visitor},
    Fields,
    page::{self, Page, Tab},
    session::{Session, bearer},
};
use crate::{
    http::read,
    inbound::{Caller, Reason, Refusal},
};

/// Bytes of the form.
const LONGEST: usize = 64 * 1024;

/// Whether everyone may see what is at this path: what signing in needs.
pub(crate) fn is_open(path: &str) -> bool {
    matches!(path, "/sign-in" | "/dashboard.css" | "/dashboard.js")
}

/// What a browser gets that asks for a page without being let in.
pub(crate) fn ask_to_sign_in(admin: &Admin, parts: &Parts, refusal: &Refusal, had_cookie: bool) -> Response {
    let was_refused = had_cookie || !matches!(refusal.reason(), Reason::MissingToken | Reason::MissingSignature);
    let then = match parts.method {
        Method::GET => parts.uri.path_and_query().map_or("/", |path| path.as_str()),
        _ => parts.uri.path(),
    };
    let why = was_refused.then(|| in_words(refusal));
    let mut response = form(admin, refusal.status(), then, why.as_deref());
    if had_cookie && refusal.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().append(header::SET_COOKIE, Session::end(&parts.headers));
    }
    response
}

pub(super) async fn page(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let query = Fields::parse(request.uri().query().unwrap_or_default().as_bytes());
    form(&admin, StatusCode::OK, query.one("then"), None)
}

pub(super) async fn enter(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = read(body, LONGEST, admin.served.limits.request_time).await else {
        return form(&admin, StatusCode::PAYLOAD_TOO_LARGE, "/", Some("That is longer than any token."));
    };
    let fields = Fields::parse(&body);
    let (token, then) = (fields.one("token").trim(), local(fields.one("then")));
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
    let caller = match judged(&admin, token).await {
        Ok(caller) => caller,
        Err(why) => return form(&admin, StatusCode::UNAUTHORIZED, then, Some(&why)),
    };
    match Session::keep(&admin, &parts.headers, token, &caller) {
        Ok(cookie) => {
            let mut response = page::see(then);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(why) => form(&admin, StatusCode::UNAUTHORIZED, then, Some(&why.to_string())),
    }
}

pub(super) async fn leave(State(_): State<Arc<Admin>>, Extension(_): Extension<Visitor>, request: Request) -> Response {
    let mut response = page::see("/sign-in");
    response.headers_mut().append(header::SET_COOKIE, Session::end(request.headers()));
    response
}

/// Whose token it is, as the gateway judges it.
async fn judged(admin: &Admin, token: &str) -> Result<Arc<Caller>, String> {
    let value = bearer(token).filter(|_| !token.is_empty());
    let value = value.ok_or("Paste a token: it is one line of letters and digits.")?;
    let (mut parts, _) = http::Request::new(Body::empty()).into_parts();
    parts.headers.insert(header::AUTHORIZATION, value);
    let claim = admin.served.gateway.inbound.authenticate(&parts).await.map_err(|refusal| in_words(&refusal))?;
    claim.prove(&parts, b"").await.map_err(|refusal| in_words(&refusal))
}

fn in_words(refusal: &Refusal) -> String {
    let text = match refusal.reason() {
        Reason::IssuerUnavailable { .. } => {
            "The token cannot be judged now: its issuer does not answer. Try again in a moment."
        }
        Reason::InsufficientScope | Reason::PrincipalNotAllowed => {
            "The token is good, but the gateway does not let its owner in. Take that of somebody who may call the gateway."
        }
        _ => "The gateway does not accept this token: it has expired, or is not for this gateway. Get a new one.",
    };
    text.to_owned()
}

/// A path of this port; anything else leads to the overview. Browsers take `\` for a slash, and leave out tabs and line ends.
fn local(path: &str) -> &str {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_local = plain && path.starts_with('/') && !path.starts_with("//");
    if is_local && !path.starts_with("/sign-") { path } else { "/" }
}

fn form(admin: &Admin, status: StatusCode, then: &str, why: Option<&str>) -> Response {
    let name = &admin.served.gateway.front.settings.name;
    let content: Markup = html! {
        div.narrow {
            h1 { "Sign in to " (name) }
            p {
                "Show a token that this gateway accepts from its clients. It is kept sealed in this browser until it ends, and goes \
                 nowhere else."
            }
            @if let Some(why) = why { p.alert role="alert" { (why) } }
            form method="post" action="/sign-in" {
                input type="hidden" name="then" value=(local(then));
                label for="token" { "Access token" }
                textarea #token name="token" rows="5" required autocomplete="off" spellcheck="false" autofocus
                    aria-describedby="token-help" {}
                p.help #token-help {
                    "For example what " code { "causeway token client-credentials … --raw" } " prints, or "
                    code { "causeway token password … --raw" } "."
                }
                button.primary type="submit" { "Sign in" }
            }
        }
    };
    Page { title: "Sign in", tab: Tab::None, admin, visitor: None }.response(status, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_nowhere_else() {
        let check = |path, expected| assert_eq!(local(path), expected, "{path}");
        check("/catalog?q=a", "/catalog?q=a");
        let elsewhere =
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example"];
        for path in elsewhere.into_iter().chain(["/sign-out"]) {
            check(path, "/");
        }
    }
}
