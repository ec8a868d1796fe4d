//! The frame of every page, and the headers that keep a browser from doing anything that no page of the dashboard wants.
//!
//! Source: CSP Level 3; Fetch, "HTTP extensions" (`Sec-Fetch-Site`), "Origin header".

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::{Admin, Visitor};

/// Pictures and sounds that a tool answers with are in the page itself.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src data:; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Where a page is cut in two, to send what comes between when it comes. Text cannot hold it: it is escaped.
const CUT: &str = "<!--cut-->";

/// What is the same of all pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) tab: Tab,
    pub(super) admin: &'a Admin,
    /// None where nobody is let in yet.
    pub(super) visitor: Option<&'a Visitor>,
}

/// Which part of the dashboard a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    None,
    Overview,
    Catalog,
    Calls,
    Clients,
    Config,
}

const TABS: [(Tab, &str, &str); 5] = [
    (Tab::Overview, "/", "Overview"),
    (Tab::Catalog, "/catalog", "Catalog"),
    (Tab::Calls, "/calls", "Calls"),
    (Tab::Clients, "/clients", "Clients"),
    (Tab::Config, "/config", "Configuration"),
];

impl Page<'_> {
    /// The page with this content.
    pub(super) fn response(&self, status: StatusCode, content: &Markup) -> Response {
        html_response(status, self.frame(content).into_string())
    }

    /// What comes before and after something that is sent between the two, with `content` before it.
    pub(super) fn halves(&self, content: &Markup) -> (String, String) {
        let whole = self.frame(&html! { (content) (PreEscaped(CUT)) }).into_string();
        let (before, after) = whole.split_once(CUT).expect("the cut is in the content");
        (before.to_owned(), after.to_owned())
    }

    fn frame(&self, content: &Markup) -> Markup {
        let name = &self.admin.served.gateway.front.settings.name;
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " – " (name) }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href="/dashboard.css";
                    script src="/dashboard.js" {}
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.top {
                        a.brand href="/" { span.mark aria-hidden="true" {} span { (name) } }
                        @if self.visitor.is_some() { (self.tabs()) }
                        div.corner {
                            (self.who())
                            button.theme type="button" data-theme-switch="" hidden title="Light or dark" {
                                span aria-hidden="true" { "◐" } span.sr { "Switch between light and dark" }
                            }
                        }
                    }
                    main #main tabindex="-1" { (content) }
                    footer {
                        "Causeway " (env!("CARGO_PKG_VERSION")) " · "
                        a href="/metrics" { "metrics" } " · " a href="/readyz" { "readiness" }
                    }
                }
            }
        }
    }

    fn tabs(&self) -> Markup {
        html! {
            nav aria-label="Pages" {
                @for (tab, path, word) in TABS {
                    @if tab == self.tab { a href=(path) aria-current="page" { (word) } } @else { a href=(path) { (word) } }
                }
            }
        }
    }

    fn who(&self) -> Markup {
        match self.visitor {
            Some(visitor) if visitor.signed_in => html! {
                form.who method="post" action="/sign-out" {
                    span title="Signed in with a token" { (visitor.caller.id) }
                    button type="submit" { "Sign out" }
                }
            },
            _ => html! {},
        }
    }
}

/// A page with the headers of one.
pub(super) fn html_response(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let mut response = (status, body.into()).into_response();
    guard(&mut response, "text/html; charset=utf-8");
    response
}

/// A text with the headers of a page.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = (status, text).into_response();
    guard(&mut response, "text/plain; charset=utf-8");
    response
}

/// Another page instead.
pub(super) fn see(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    guard(&mut response, "text/plain; charset=utf-8");
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, path);
    response
}

fn guard(response: &mut Response, kind: &'static str) {
    let headers: [(HeaderName, &'static str); 7] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer` browsers also hide the origin of a form (`Origin: null`), which tells our own from a stranger's.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    response.headers_mut().extend(headers.map(|(name, text)| (name, HeaderValue::from_static(text))));
}
