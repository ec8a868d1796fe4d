//! What each client needs to use the gateway, to copy: the same entries that `causeway client` writes. Holds no token: an entry
//! names the variable that has one, or the client logs in.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use clap::ValueEnum;
use http::StatusCode;
use maud::{Markup, html};

use super::{
    Context, Fields,
    overview::{endpoint, in_code, toolsets},
    page::{Page, Tab},
};
use crate::{
    admin::Admin,
    clients::{self, Auth, Client, Document, Entry, Scope, Wish, Wrong},
    config::Authorizer,
};

/// The variable that holds a token where the client runs.
const VARIABLE: &str = "CAUSEWAY_TOKEN";

/// How a client is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Login,
    TokenEnv,
    Sigv4,
    None,
}

/// What somebody asks for.
struct Asked {
    /// Empty: the gateway's own endpoint.
    toolset: String,
    way: Way,
    url: String,
    /// What clients call the gateway.
    name: String,
}

const WAYS: [(Way, &str, &str); 4] = [
    (Way::Login, "login", "log in with a browser"),
    (Way::TokenEnv, "token-env", "a token from a variable"),
    (Way::Sigv4, "sigv4", "AWS signatures"),
    (Way::None, "none", "nothing"),
];

pub(super) async fn page((State(admin), Extension(visitor)): Context, uri: Uri, headers: HeaderMap) -> Response {
    let asked = Asked::of(&admin, &uri, &headers);
    let content = html! {
        h1 { "Clients" }
        p.lead {
            "What a client's configuration needs to use this gateway. " code { "causeway client" }
            " writes the same into the right file, beside what is there."
        }
        (form(&admin, &asked))
        @for client in Client::value_variants() { (guide(*client, &asked)) }
    };
    let page = Page { title: "Clients", tab: Tab::Clients, admin: &admin, visitor: Some(&visitor) };
    page.response(StatusCode::OK, &content)
}

fn form(admin: &Admin, asked: &Asked) -> Markup {
    let toolsets = toolsets(admin);
    html! {
        form.filters method="get" action="/clients" aria-label="For which clients" {
            @if !toolsets.is_empty() {
                label { "Endpoint "
                    select name="toolset" data-submit="" {
                        option value="" { "/mcp" }
                        @for name in &toolsets { option value=(name) selected[**name == asked.toolset] { "/mcp/" (name) } }
                    }
                }
            }
            label { "Let in by "
                select name="auth" data-submit="" {
                    @for (way, word, text) in WAYS { option value=(word) selected[way == asked.way] { (text) } }
                }
            }
            button type="submit" { "Show" }
        }
    }
}

fn guide(client: Client, asked: &Asked) -> Markup {
    let facts = client.facts();
    html! {
        section.client aria-labelledby={ "client-" (client.name()) } {
            h2 #{ "client-" (client.name()) } { (title(facts.title)) }
            @match asked.entry(client) {
                Ok(entry) => (instructions(client, asked, &entry)),
                Err(why) => p.note { (in_code(&why.to_string())) },
            }
        }
    }
}

/// `any client` stands in a sentence elsewhere.
fn title(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn instructions(client: Client, asked: &Asked, entry: &Entry) -> Markup {
    let (facts, name) = (client.facts(), client.name());
    let command = clients::command(client, &asked.name, entry, Scope::User);
    html! {
        @if let Some(file) = facts.project {
            p.note {
                "In a project: " code { (file) } ". For you, everywhere: " code { "causeway client " (name) " --write" } "."
            }
        }
        (copyable(&format!("file-{name}"), &file(client, asked, entry), "the file"))
        @if let Some(command) = command { p.note { "Or run:" } (copyable(&format!("command-{name}"), &command, "the command")) }
        @if asked.way == Way::Login { p.note { strong { "Log in: " } (in_code(facts.login)) "." } }
        @if entry.is_bridge() { p.note { "It starts " code { "causeway stdio" } ", which must be installed there." } }
        @if let Some(note) = facts.of_variables.filter(|_| entry.refers_to_variables()) {
            p.note { (in_code(&title(note))) "." }
        }
    }
}

fn copyable(id: &str, text: &str, what: &str) -> Markup {
    html! {
        div.copyable {
            pre #(id) tabindex="0" { (text) }
            button.copy type="button" data-copy=(id) hidden { "Copy" span.sr { " " (what) } }
        }
    }
}

/// A new file of this client that holds the entry alone.
fn file(client: Client, asked: &Asked, entry: &Entry) -> String {
    let made = Document::parse("").ok().and_then(|mut document| {
        clients::merge(&mut document, client.facts(), &asked.name, entry, false).ok()?;
        Some(document.text())
    });
    // Merging into an empty file does not fail; if it did, the entry itself is what matters.
    made.unwrap_or_else(|| entry.json(client.facts()).to_string())
}

impl Asked {
    fn of(admin: &Admin, uri: &Uri, headers: &HeaderMap) -> Self {
        let fields = Fields::parse(uri.query().unwrap_or_default().as_bytes());
        let toolset = fields.one("toolset").to_owned();
        let toolset = if admin.served.toolsets.contains_key(&toolset) { toolset } else { String::new() };
        let url = endpoint(admin, headers);
        let url = if toolset.is_empty() { url } else { format!("{url}/{toolset}") };
        let wanted = WAYS.into_iter().find(|(_, word, _)| *word == fields.one("auth")).map(|(way, ..)| way);
        let way = wanted.unwrap_or(match admin.authorizer {
            Authorizer::None => Way::None,
            Authorizer::CustomJwt(_) => Way::Login,
            Authorizer::AwsIam(_) => Way::Sigv4,
        });
        let name = admin.server_names.get(&toolset).map(|name| clients::server_name(name)).unwrap_or_default();
        Self { toolset, way, url, name }
    }

    fn entry(&self, client: Client) -> Result<Entry, Wrong> {
        let auth = match self.way {
            Way::Login => Auth::Login,
            Way::TokenEnv => Auth::TokenEnv(VARIABLE.parse()?),
            Way::Sigv4 => Auth::Sigv4,
            Way::None => Auth::None,
        };
        let address = self.url.parse().map_err(|_| Wrong::NoUrl(self.url.clone()))?;
        let (program, bridge) = ("causeway".to_owned(), Vec::new());
        Entry::of(client.facts(), &Wish { address, auth, stdio: false, program, bridge, timeout: None })
    }
}
