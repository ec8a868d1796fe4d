//! Who asks for a login: the one client that the issuer knows, or a client whose id is the URL of a document about it. Neither
//! proves itself; what a person is shown of them is what is known for sure.

use std::sync::Arc;

use super::{
    ErrorCode, OAuthError, Proxy,
    documents::{Document, DocumentError},
    redirect::{Kind, RedirectUri},
};

/// A client that asks.
#[derive(Clone, Debug)]
pub(super) enum Client {
    /// Whoever uses the id that registration gives to everyone.
    Registered,
    /// What the document says, which somebody published under a name on the web.
    Documented(Arc<Document>),
}

impl Proxy {
    /// The client of this id.
    pub(super) async fn client(&self, id: &str) -> Result<Client, OAuthError> {
        if id == self.settings.client_id {
            return Ok(Client::Registered);
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
        id == self.settings.client_id || (self.documents.are_read() && id.starts_with("http"))
    }
}

impl Client {
    /// Whether the client may let a login end there.
    pub(super) fn owns(&self, redirect_uri: &RedirectUri) -> bool {
        match self {
            Self::Registered => true,
            Self::Documented(document) => document.redirect_uris.iter().any(|uri| redirect_uri.is(uri)),
        }
    }

    /// Who it is, for people.
    pub(super) fn shown(&self, redirect_uri: &RedirectUri) -> String {
        let place = redirect_uri.url.host_str().unwrap_or_default();
        match (self, redirect_uri.kind) {
            (Self::Documented(document), _) => match &document.name {
                Some(name) => format!("{name} (as {} says)", document.host),
                None => document.host.clone(),
            },
            (Self::Registered, Kind::Loopback) => "A program on this computer".into(),
            (Self::Registered, Kind::Web) => format!("The web site {place}"),
            (Self::Registered, Kind::Scheme) => {
                format!("The program that opens {} links on this computer", redirect_uri.url.scheme())
            }
        }
    }
}
