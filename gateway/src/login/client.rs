//! Who asks for a login: the one client that the issuer knows, or a client whose id is the URL of a document about it. Neither
//! proves itself; a person is shown what is known for sure, and what a client calls itself as just that.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    ErrorCode, OAuthError, Proxy,
    documents::{Document, DocumentError, readable},
    redirect::{Kind, RedirectUri},
};

/// Between the one client's id and the name that a program registered with, which rides behind it: nothing is kept.
const MARK: char = '~';

/// A client that asks.
#[derive(Clone, Debug)]
pub(super) enum Client {
    /// Whoever uses the id that registration gives to everyone, and what it calls itself.
    Registered(Option<String>),
    /// What the document says, which somebody published under a name on the web.
    Documented(Arc<Document>),
}

impl Proxy {
    /// The client of this id.
    pub(super) async fn client(&self, id: &str) -> Result<Client, OAuthError> {
        if let Some(client) = self.registered_client(id) {
            return Ok(client);
        }
        let unknown = |text: &str| OAuthError::new(ErrorCode::InvalidClient, text);
        if !id.starts_with("https://") && !id.starts_with("http://") {
            return Err(unknown("the client is not known here: let it register again"));
        }
        self.documents.of(id).await.map(Client::Documented).map_err(|error| {
            tracing::info!(%error, "the document about a client is not taken");
            match *error {
                DocumentError::Busy => OAuthError::unavailable(),
                _ => unknown("the document that the client id names cannot be read, or does not describe this client"),
            }
        })
    }

    /// Whether a client may have this id, as far as can be told without looking: for requests that show a code or a token.
    pub(super) fn may_be_client(&self, id: &str) -> bool {
        self.registered_client(id).is_some() || (self.documents.are_read() && id.starts_with("http"))
    }

    /// The id of the one client, for a program that calls itself `name`. It is the same each time and at each replica.
    pub(super) fn registered_id(&self, name: Option<&str>) -> String {
        let id = &self.settings.client_id;
        match name.map(readable).filter(|name| !name.is_empty()) {
            Some(name) => format!("{id}{MARK}{}", URL_SAFE_NO_PAD.encode(name)),
            None => id.clone(),
        }
    }

    fn registered_client(&self, id: &str) -> Option<Client> {
        let rest = id.strip_prefix(&self.settings.client_id)?;
        let Some(name) = rest.strip_prefix(MARK) else {
            return rest.is_empty().then_some(Client::Registered(None));
        };
        let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
        (!name.is_empty() && readable(&name) == name).then_some(Client::Registered(Some(name)))
    }
}

impl Client {
    /// Whether the client may let a login end there.
    pub(super) fn owns(&self, redirect_uri: &RedirectUri) -> bool {
        match self {
            Self::Registered(_) => true,
            Self::Documented(document) => document.redirect_uris.iter().any(|uri| redirect_uri.is(uri)),
        }
    }

    /// What is known of it, for people: nothing of its own words.
    pub(super) fn shown(&self, redirect_uri: &RedirectUri) -> String {
        if let Self::Documented(document) = self {
            return format!("A client published by {}", document.host);
        }
        match redirect_uri.kind {
            Kind::Loopback => "A program on this computer".into(),
            Kind::Web => format!("The web site {}", redirect_uri.url.host_str().unwrap_or_default()),
            Kind::Scheme => format!("The program that opens {} links on this computer", redirect_uri.url.scheme()),
        }
    }

    /// What it calls itself, which may be anything.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Registered(name) => name.as_deref(),
            Self::Documented(document) => document.name.as_deref(),
        }
    }
}
