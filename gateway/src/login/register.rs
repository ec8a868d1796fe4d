//! Dynamic client registration: everyone who may log in here gets the id of the one client that the issuer knows, with the name that
//! the program gave itself behind it. Nothing is kept, so a registration never ends, and works at every replica.
//!
//! Source: RFC 7591, sections 2 and 3.

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ErrorCode, OAuthError, Proxy, client::Client, refusal};

/// Redirect URIs of one registration.
const MOST_URIS: usize = 50;
/// Characters of a client's name.
const LONGEST_NAME: usize = 200;
const GRANTS: [&str; 2] = ["authorization_code", "refresh_token"];

/// What a client wants to be. Members that are not here are passed over (section 2).
#[derive(Deserialize)]
struct Wanted {
    redirect_uris: Option<Vec<String>>,
    client_name: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    scope: Option<String>,
}

impl Proxy {
    /// `POST /login/register` with this JSON: the client's metadata as it is taken, with its id.
    pub fn register(&self, body: &[u8]) -> Result<Response, OAuthError> {
        self.registered(body).map(|client| refusal::json(StatusCode::CREATED, &client))
    }

    fn registered(&self, body: &[u8]) -> Result<Value, OAuthError> {
        let wrong = |text: &str| OAuthError::new(ErrorCode::InvalidClientMetadata, text);
        let wanted: Wanted = serde_json::from_slice(body)
            .map_err(|_| wrong("the body is no JSON object of client metadata as RFC 7591 has it"))?;
        let lacks =
            |list: &Option<Vec<String>>, one: &str| list.as_ref().is_some_and(|list| !list.iter().any(|it| it == one));
        if lacks(&wanted.grant_types, GRANTS[0]) {
            return Err(wrong("`grant_types` must hold `authorization_code`: nothing else begins a login here"));
        }
        if lacks(&wanted.response_types, "code") {
            return Err(wrong("`response_types` must hold `code`"));
        }
        if wanted.client_name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(wrong("`client_name` is too long"));
        }
        let redirect_uris = self.redirect_uris(&wanted)?;
        let grants = GRANTS.iter().filter(|grant| !lacks(&wanted.grant_types, grant));
        let mut client = json!({
            "client_id": self.registered_id(wanted.client_name.as_deref()),
            "client_id_issued_at": self.clock.now().as_secs(),
            "redirect_uris": redirect_uris,
            "token_endpoint_auth_method": "none",
            "grant_types": grants.collect::<Vec<_>>(),
            "response_types": ["code"],
        });
        if let Some(name) = &wanted.client_name {
            client["client_name"] = name.as_str().into();
        }
        let scope = self.scopes(wanted.scope.as_deref());
        if !scope.is_empty() {
            client["scope"] = scope.into();
        }
        Ok(client)
    }

    /// Those where a login may end. A client that names several can do with some of them: the answer tells it which.
    fn redirect_uris<'a>(&self, wanted: &'a Wanted) -> Result<Vec<&'a str>, OAuthError> {
        let all = wanted.redirect_uris.as_deref().unwrap_or_default();
        let refused = |text: &str| Err(OAuthError::new(ErrorCode::InvalidRedirectUri, text));
        if all.len() > MOST_URIS {
            return refused("there are too many `redirect_uris`");
        }
        let allowed =
            all.iter().map(String::as_str).filter(|uri| self.redirect_uri(&Client::Registered(None), uri).is_ok());
        let allowed: Vec<&str> = allowed.collect();
        match (all, &allowed[..]) {
            ([], _) => refused("`redirect_uris` is missing or empty"),
            (_, []) => refused(
                "no login may end at any of these `redirect_uris`: http on 127.0.0.1, [::1] or localhost, or one that the operator lists \
                 in `login.redirect_uris`",
            ),
            _ => Ok(allowed),
        }
    }
}
