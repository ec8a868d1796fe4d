//! The first page: what the gateway is, how each target is, and what somebody should do something about.

mod figures;
mod target;

use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use causeway_core::catalog::{Kind, Problem};
use http::{StatusCode, header};
use maud::{Markup, html};

use self::{
    figures::Figures,
    target::{Standing, card},
};
use super::{
    Context,
    page::{Page, Tab},
    time::{ago, count},
};
use crate::{admin::Admin, config::Authorizer, discovery::View, http::MCP_PATH};

pub(super) async fn page((State(admin), Extension(visitor)): Context, headers: HeaderMap) -> Response {
    let gateway = &admin.served.gateway.front.gateway;
    let view = gateway.view();
    let figures = Figures::of(&admin);
    let content = html! {
        h1.sr { "Overview" }
        p.alert #stale role="status" hidden { "The gateway does not answer: below is how it was last. It is asked again every few seconds." }
        div data-refresh="5" {
            (about(&admin, &view, &headers))
            (findings(&view))
            h2 { "Targets" }
            @if view.targets.is_empty() { p.note { "There is none." } }
            div.cards {
                @for target in &view.targets { (card(&admin, &view, target, &figures)) }
            }
        }
    };
    let page = Page { title: "Overview", tab: Tab::Overview, admin: &admin, visitor: Some(&visitor) };
    page.response(StatusCode::OK, &content)
}

fn about(admin: &Admin, view: &View, headers: &HeaderMap) -> Markup {
    let endpoint = endpoint(admin, headers);
    let toolsets = toolsets(admin);
    let states: Vec<(Standing, &str)> =
        view.targets.iter().map(|target| (Standing::of(admin, target), target.name.as_str())).collect();
    let entries = |kind| view.catalog.list(kind).len();
    html! {
        section.about aria-label="This gateway" {
            div.endpoint {
                span.label { "Clients connect to" }
                code #endpoint { (endpoint) }
                button.copy type="button" data-copy="endpoint" hidden { "Copy" span.sr { " the endpoint" } }
                a href="/clients" { "Set up a client" }
            }
            @if !toolsets.is_empty() {
                div.endpoint {
                    span.label { (count(toolsets.len(), "toolset")) }
                    ul.toolsets {
                        @for name in &toolsets {
                            li {
                                code #{ "toolset-" (name) } { (endpoint) "/" (name) } " "
                                a href={ "/catalog?toolset=" (name) } { (count(tools_of(admin, name), "tool")) } " "
                                button.copy type="button" data-copy={ "toolset-" (name) } hidden {
                                    "Copy" span.sr { " the endpoint of " (name) }
                                }
                            }
                        }
                    }
                }
            }
            dl.facts {
                div { dt { "Who may call" } dd { (authorizer(&admin.authorizer)) } }
                div { dt { "Up since" } dd { (ago(admin.clock.now(), admin.started)) } }
                div { dt { "Configuration" } dd { (configuration(admin)) } }
                div { dt { "Version" } dd.number { (env!("CARGO_PKG_VERSION")) } }
                div { dt { "Targets" } dd { (tally(&states)) } }
                div { dt { "Catalog" } dd { a href="/catalog" { (catalog(entries)) } } }
                div {
                    dt { "Connections" }
                    dd.number { (admin.connections.in_use()) span.of { " of " (admin.connections.most()) } }
                }
            }
        }
    }
}

/// Since when it is in effect, and whether the file could not be used since.
fn configuration(admin: &Admin) -> Markup {
    let standing = admin.standing.borrow().clone();
    html! {
        a href="/config" { (ago(admin.clock.now(), standing.since)) }
        @if standing.generation > 1 { span.of { " (number " (standing.generation) ")" } }
        @if standing.error.is_some() { " " span.tag { "the file has mistakes" } }
    }
}

/// Names of toolsets, sorted.
pub(super) fn toolsets(admin: &Admin) -> Vec<&str> {
    let mut names: Vec<&str> = admin.served.toolsets.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn tools_of(admin: &Admin, toolset: &str) -> usize {
    let endpoint = admin.served.toolsets.get(toolset);
    endpoint.map_or(0, |endpoint| endpoint.front.gateway.view().catalog.list(Kind::Tools).len())
}

fn catalog(entries: impl Fn(Kind) -> usize) -> String {
    let counted = Kind::ALL.iter().filter(|kind| entries(**kind) > 0);
    let words: Vec<String> = counted.map(|kind| count(entries(*kind), &kind.to_string())).collect();
    if words.is_empty() { "empty".into() } else { words.join(", ") }
}

/// How many targets are how, and where those are that want to be looked at: there may be many cards.
fn tally(states: &[(Standing, &str)]) -> Markup {
    let of = |standing| states.iter().filter(move |(state, _)| *state == standing).map(|(_, name)| *name);
    html! {
        @for standing in Standing::ALL.into_iter().filter(|standing| of(*standing).next().is_some()) {
            div {
                (standing.badge(&format!("{} {}", of(standing).count(), standing.word_for_several())))
                @if matches!(standing, Standing::InPart | Standing::Down) {
                    @for name in of(standing).take(NAMED) { " " a href={ "#target-" (name) } { (name) } }
                    @if of(standing).count() > NAMED { " …" }
                }
            }
        }
    }
}

/// Where clients find it: as the configuration says, else at the address where it listens, by the name that the browser knows.
pub(super) fn endpoint(admin: &Admin, headers: &HeaderMap) -> String {
    let served = &admin.served;
    if let Some(public) = &served.gateway.front.settings.public_url {
        return public.to_string();
    }
    let (port, ip) = (served.local.port(), served.local.ip());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<http::uri::Authority>().ok());
    match host.filter(|_| ip.is_unspecified()) {
        Some(host) => format!("http://{}:{port}{MCP_PATH}", host.host()),
        None => format!("http://{}{MCP_PATH}", served.local),
    }
}

/// Who may call, in words.
pub(super) fn authorizer(authorizer: &Authorizer) -> Markup {
    match authorizer {
        Authorizer::None => html! { "Anyone who reaches it, without a token" },
        Authorizer::CustomJwt(jwt) => {
            let issuer = jwt.discovery_url.host_str().unwrap_or_default();
            html! {
                "Whoever shows an access token of " strong { (issuer) } " that fulfils the "
                a href="/config#authorizer.custom_jwt" { "rules" }
            }
        }
        Authorizer::AwsIam(iam) => html! {
            "AWS principals: "
            @if !iam.access_keys.is_empty() { (count(iam.access_keys.len(), "access key")) " by signature" }
            @if !iam.access_keys.is_empty() && iam.caller_identity.is_some() { ", " }
            @if iam.caller_identity.is_some() { "tokens of STS" }
        },
    }
}

/// Targets that are named beside how many there are.
const NAMED: usize = 5;
/// Findings that are shown at once, and when asked for: a client's bound on names can make one of every tool.
const FIRST: usize = 3;
const MOST: usize = 200;

/// What of the catalog is not as it is meant to be, what the configuration wants so last.
fn findings(view: &View) -> Markup {
    let (intended, news): (Vec<&Problem>, Vec<&Problem>) =
        view.catalog.problems().iter().partition(|problem| problem.is_intended());
    html! {
        @if !news.is_empty() {
            section.findings aria-labelledby="findings" {
                h2 #findings { (count(news.len(), "finding")) }
                (list(&news[..news.len().min(FIRST)]))
                @if news.len() > FIRST {
                    details #more-findings { summary { "and " (news.len() - FIRST) " more" } (list(&news[FIRST..])) }
                }
            }
        }
        @if !intended.is_empty() {
            details.quiet #intended {
                summary { (count(intended.len(), "note")) " about what is left out as configured" }
                (list(&intended))
            }
        }
    }
}

fn list(problems: &[&Problem]) -> Markup {
    html! {
        ul { @for problem in problems.iter().take(MOST) { li { (in_code(&problem.to_string())) } } }
        @if problems.len() > MOST { p.note { "… and " (problems.len() - MOST) " more: the log has them all." } }
    }
}

/// What stands between backticks, as code.
pub(super) fn in_code(text: &str) -> Markup {
    let mut parts: Vec<&str> = text.split('`').collect();
    // A backtick without its other stays one.
    let rest = if parts.len().is_multiple_of(2) { parts.pop() } else { None };
    html! {
        @for (at, part) in parts.into_iter().enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } }
        @if let Some(rest) = rest { "`" (rest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_become_code_and_nothing_else_does() {
        let check = |text, expected: &str| assert_eq!(in_code(text).into_string(), expected);
        check("target `a` <b>", "target <code>a</code> &lt;b&gt;");
        check("`<i>`", "<code>&lt;i&gt;</code>");
        check("a ` b", "a ` b");
    }
}
