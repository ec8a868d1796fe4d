//! Documents that clients publish about themselves: read once for all who wait, from the internet alone, small and quickly, and
//! remembered for some minutes, failures too. What is read is judged here; who may log in by it is not.
//!
//! Source: OAuth Client ID Metadata Document (draft-ietf-oauth-client-id-metadata-document-02), sections 3, 4 and 8.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use causeway_oidc::fetch;
use http::{StatusCode, header};
use moka::{Expiry, future::Cache};
use serde::Deserialize;
use tokio::sync::Semaphore;
use url::{Host, Url};

use super::address::PublicOnly;
use crate::config::ClientDocuments;

/// The draft recommends 5 KB.
const LONGEST: usize = 10 * 1024;
const TIMEOUT: Duration = Duration::from_secs(5);
/// A document is good for so long.
const GOOD: Duration = Duration::from_secs(300);
/// A document that cannot be had is not asked for again for so long.
const BAD: Duration = Duration::from_secs(30);
const REMEMBERED: u64 = 1000;
/// Documents that are read at once.
const AT_ONCE: usize = 8;
/// Bytes of a client id.
const LONGEST_ID: usize = 2048;
/// Characters of a client's name that are shown.
const NAME: usize = 80;

/// Reads and remembers documents.
pub(super) struct Documents {
    from: ClientDocuments,
    http: reqwest::Client,
    known: Cache<String, Known>,
    permits: Semaphore,
}

type Known = Result<Arc<Document>, Arc<DocumentError>>;

/// What a client says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// Of its URL: who answers for the rest.
    pub(super) host: String,
    pub(super) name: Option<String>,
    pub(super) redirect_uris: Vec<String>,
}

/// Why there is no document. For the log: a stranger must not learn what the gateway can reach.
#[derive(Debug, thiserror::Error)]
pub(super) enum DocumentError {
    #[error("documents about clients are not read: `login.client_documents` is `off`")]
    Off,
    #[error(
        "the client id is no URL of a document: https, a host name, a path, and nothing that a URL writes in two ways"
    )]
    NotAUrl,
    #[error("too many documents are being read: the client has to try again")]
    Busy,
    #[error("`{url}` cannot be read ({cause})")]
    Unreachable { url: String, cause: String },
    #[error("`{0}` answered {1}")]
    Status(String, StatusCode),
    #[error("`{0}` did not answer within {TIMEOUT:?}")]
    Slow(String),
    #[error("the answer of `{0}` broke off, or has more than {LONGEST} bytes")]
    NotRead(String),
    #[error("`{0}` holds no JSON with `client_id` and `redirect_uris`")]
    NotADocument(String),
    #[error("the document at `{0}` is about another `client_id`")]
    OtherClient(String),
    #[error(
        "the client of `{0}` wants to prove itself, which is not done here: `token_endpoint_auth_method` must be `none`"
    )]
    Confidential(String),
}

#[derive(Deserialize)]
struct Content {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: Option<String>,
    client_secret: Option<serde::de::IgnoredAny>,
}

struct Lives;

impl Expiry<String, Known> for Lives {
    fn expire_after_create(&self, _: &String, known: &Known, _: Instant) -> Option<Duration> {
        Some(if known.is_ok() { GOOD } else { BAD })
    }
}

impl Documents {
    /// Nothing is read yet.
    ///
    /// # Errors
    /// The system's certificates cannot be used.
    pub(super) fn new(from: ClientDocuments) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("causeway/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would look for the address itself, where this program's judgement does not reach.
            .no_proxy();
        let http = match from {
            ClientDocuments::Local => builder,
            ClientDocuments::Public | ClientDocuments::Off => {
                builder.https_only(true).dns_resolver(Arc::new(PublicOnly))
            }
        };
        let known = Cache::builder().max_capacity(REMEMBERED).expire_after(Lives).build();
        Ok(Self { from, http: http.build()?, known, permits: Semaphore::new(AT_ONCE) })
    }

    /// Whether any are read at all.
    pub(super) fn are_read(&self) -> bool {
        self.from != ClientDocuments::Off
    }

    /// The document at `id`, which is the id of its client.
    pub(super) async fn of(&self, id: &str) -> Known {
        let url = self.url(id)?;
        let read = async {
            let _permit = self.permits.try_acquire().map_err(|_| DocumentError::Busy)?;
            Ok::<Known, DocumentError>(self.read(id, url).await.map(Arc::new).map_err(Arc::new))
        };
        // Only the want of a permit is not remembered.
        self.known.try_get_with(id.to_owned(), read).await.unwrap_or_else(Err)
    }

    fn url(&self, id: &str) -> Result<Url, DocumentError> {
        let url = Url::parse(id).map_err(|_| DocumentError::NotAUrl)?;
        let bare = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        let whole = id.len() <= LONGEST_ID && url.as_str() == id && !matches!(url.path(), "" | "/") && bare;
        let allowed = match self.from {
            ClientDocuments::Off => return Err(DocumentError::Off),
            // An address is not asked of the resolver, which would refuse it.
            ClientDocuments::Public => url.scheme() == "https" && matches!(url.host(), Some(Host::Domain(_))),
            ClientDocuments::Local => true,
        };
        if whole && allowed { Ok(url) } else { Err(DocumentError::NotAUrl) }
    }

    async fn read(&self, id: &str, url: Url) -> Result<Document, DocumentError> {
        let body = tokio::time::timeout(TIMEOUT, self.body(&url)).await;
        let body = body.map_err(|_| DocumentError::Slow(fetch::shown(&url)))??;
        let content: Content =
            serde_json::from_slice(&body).map_err(|_| DocumentError::NotADocument(fetch::shown(&url)))?;
        if content.client_id != id {
            return Err(DocumentError::OtherClient(fetch::shown(&url)));
        }
        let public = content.token_endpoint_auth_method.as_deref().is_none_or(|method| method == "none");
        if !public || content.client_secret.is_some() {
            return Err(DocumentError::Confidential(fetch::shown(&url)));
        }
        Ok(Document {
            host: url.host_str().unwrap_or_default().to_owned(),
            name: content.client_name.map(|name| readable(&name)).filter(|name| !name.is_empty()),
            redirect_uris: content.redirect_uris,
        })
    }

    async fn body(&self, url: &Url) -> Result<Vec<u8>, DocumentError> {
        let unreachable = |error| DocumentError::Unreachable { url: fetch::shown(url), cause: fetch::cause(error) };
        let request = self.http.get(url.clone()).header(header::ACCEPT, "application/json");
        let response = request.send().await.map_err(unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(DocumentError::Status(fetch::shown(url), response.status()));
        }
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
            return Err(DocumentError::NotADocument(fetch::shown(url)));
        }
        fetch::read_bounded(response, LONGEST).await.map_err(|_| DocumentError::NotRead(fetch::shown(url)))
    }
}

/// A name on one line, not too long, and without characters that nobody sees or that turn what stands beside them.
pub(super) fn readable(name: &str) -> String {
    const ODD: [std::ops::RangeInclusive<char>; 8] = [
        '\u{ad}'..='\u{ad}',
        '\u{61c}'..='\u{61c}',
        '\u{180b}'..='\u{180f}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
        '\u{e0000}'..='\u{e0fff}',
    ];
    let odd = |c: char| c.is_control() || ODD.iter().any(|range| range.contains(&c));
    name.chars().filter(|c| !odd(*c)).take(NAME).collect::<String>().trim().to_owned()
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").field("from", &self.from).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_is_the_url_of_a_document() {
        let is_url = |from, id: &str| Documents::new(from).unwrap().url(id).is_ok();
        let check = |id: &str, public: bool, local: bool| {
            assert_eq!(is_url(ClientDocuments::Public, id), public, "{id}");
            assert_eq!(is_url(ClientDocuments::Local, id), local, "{id}");
            assert!(!is_url(ClientDocuments::Off, id), "{id}");
        };
        check("https://app.example/client.json", true, true);
        check("https://app.example:8443/client.json", true, true);
        check("http://127.0.0.1:1/client.json", false, true);
        check("https://127.0.0.1/client.json", false, true);
        check("https://[::1]/client.json", false, true);
        for wrong in
            ["https://app.example", "https://app.example/", "https://app.example/a/../b", "https://a:b@app.example/c"]
        {
            check(wrong, false, false);
        }
        for wrong in
            ["https://app.example/a#b", "https://APP.example/c", "https://app.example:443/c", "app", "https://"]
        {
            check(wrong, false, false);
        }
    }

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(readable(" A\u{202e}B\u{61c}\u{feff}\u{e0041}\r\n "), "AB");
        assert_eq!(readable(&"x".repeat(200)).len(), NAME);
    }
}
