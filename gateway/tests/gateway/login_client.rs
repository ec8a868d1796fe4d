//! A program that lets its user log in: it finds the gateway's authorization server, and goes through a login step by step, so that a
//! test can do any step otherwise. Asserts nothing but that a step it was not asked about goes well.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway::config::{Authorizer, ClientDocuments, Config, Login, LoginProxy};
use http::Method;
use serde_json::Value;
use url::{Url, form_urlencoded::Serializer};

use crate::{
    answer::Answer,
    browser::{Browser, Page},
    caller::Caller,
    harness::Gateway,
    issuer::{Issuer, PASSWORD, PEOPLE, USER},
};

/// What the gateway is called outside.
pub(crate) const PUBLIC: &str = "https://tools.example.com";
/// Where a program on the user's machine waits for its code.
pub(crate) const LOOPBACK: &str = "http://127.0.0.1:33418/callback";
/// Where a web site does.
pub(crate) const WEB: &str = "https://claude.ai/api/mcp/auth_callback";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-RFC-7636-000000";

/// One login: what the client asks for.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) parameters: Vec<(String, String)>,
}

/// A gateway that people log in to, before the issuer that knows [`PEOPLE`].
pub(crate) async fn gateway() -> Gateway {
    gateway_with(|_| ()).await
}

/// The same with changes to its configuration.
pub(crate) async fn gateway_with(change: impl FnOnce(&mut Config)) -> Gateway {
    Gateway::launch(Issuer::start().await, [], |config| {
        turn_on(config);
        change(config);
    })
    .await
}

/// Turns login on.
pub(crate) fn turn_on(config: &mut Config) {
    config.gateway.public_url = Some(format!("{PUBLIC}/mcp").parse().unwrap());
    let Authorizer::CustomJwt(jwt) = &mut config.authorizer else { panic!("the harness asks for tokens") };
    jwt.rules.allowed_clients.push(PEOPLE.into());
    config.login = Some(Login::Proxy(Box::new(LoginProxy {
        client_id: PEOPLE.into(),
        scopes: jwt.rules.allowed_scopes.clone(),
        redirect_uris: vec![WEB.into(), "cursor://anysphere.cursor-mcp/oauth/callback".into()],
        client_documents: ClientDocuments::Public,
        authorization_endpoint: None,
        token_endpoint: None,
        revocation_endpoint: None,
    })));
}

/// The settings of the login.
pub(crate) fn settings(config: &mut Config) -> &mut LoginProxy {
    let Some(Login::Proxy(settings)) = &mut config.login else { panic!("it is on") };
    settings
}

/// A browser that knows this gateway by its public name.
pub(crate) fn browser(gateway: &Gateway) -> Browser {
    Browser::new(PUBLIC, &gateway.origin)
}

impl Client {
    /// Asks for everything as it should be.
    pub(crate) fn new(redirect_uri: &str) -> Self {
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
        let resource = format!("{PUBLIC}/mcp");
        let parameters = [
            ("response_type", "code"),
            ("client_id", PEOPLE),
            ("redirect_uri", redirect_uri),
            ("state", "the client's & own"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("scope", "gateway/call offline_access"),
            ("resource", &resource),
        ];
        Self { parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec() }
    }

    /// The same with another value of a parameter.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with one more value of a parameter.
    pub(crate) fn again(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a parameter.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(key, _)| key != name);
        self
    }

    /// Where it sends the browser.
    pub(crate) fn url(&self) -> String {
        let mut url = Url::parse(PUBLIC).unwrap().join("/login/authorize").unwrap();
        url.query_pairs_mut().extend_pairs(&self.parameters);
        url.into()
    }

    /// To the consent page.
    pub(crate) async fn ask(&self, browser: &mut Browser) -> Page {
        browser.open(&self.url()).await
    }

    /// To the issuer's page, by consent.
    pub(crate) async fn consent(&self, browser: &mut Browser) -> Page {
        let page = self.ask(browser).await;
        answer(browser, &page, "allow").await
    }

    /// To the gateway's callback, which the browser does not open.
    pub(crate) async fn log_in(&self, browser: &mut Browser) -> Page {
        let sent = self.consent(browser).await;
        log_in_at(browser, &sent).await
    }

    /// To the client's redirect URI, which the browser does not open.
    pub(crate) async fn come_back(&self, browser: &mut Browser) -> Page {
        let back = self.log_in(browser).await;
        browser.open(back.location().as_str()).await
    }

    /// A code, through a browser of its own.
    pub(crate) async fn code(&self, gateway: &Gateway) -> String {
        let page = self.come_back(&mut browser(gateway)).await;
        page.parameter("code").unwrap_or_else(|| panic!("no code: {page:?}"))
    }

    /// What the client sends for a code.
    pub(crate) fn redemption(&self, code: &str) -> Self {
        let own = |name: &str| self.parameters.iter().find(|(key, _)| key == name).unwrap().1.clone();
        let resource = format!("{PUBLIC}/mcp");
        let (client_id, redirect_uri) = (own("client_id"), own("redirect_uri"));
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &client_id),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", VERIFIER),
            ("resource", &resource),
        ];
        Self { parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec() }
    }

    /// Sends these parameters to an endpoint of the gateway.
    pub(crate) async fn post(&self, gateway: &Gateway, path: &str) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(&self.parameters).finish();
        let caller = Caller::new(&gateway.url).header("content-type", "application/x-www-form-urlencoded");
        caller.at(path).send(Method::POST, body).await
    }
}

/// Answers the consent page.
pub(crate) async fn answer(browser: &mut Browser, page: &Page, answer: &str) -> Page {
    let form = [("request", page.field("request")), ("answer", answer.to_owned())];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    browser.submit(&format!("{PUBLIC}/login/consent"), &form).await
}

/// Logs in at the issuer that `sent` leads to; gives the issuer's last answer.
pub(crate) async fn log_in_at(browser: &mut Browser, sent: &Page) -> Page {
    let first = browser.open(sent.location().as_str()).await;
    if first.location().as_str().starts_with(PUBLIC) {
        return first;
    }
    browser.submit(first.location().as_str(), &[("username", USER), ("password", PASSWORD)]).await
}

/// Registers a client.
pub(crate) async fn register(gateway: &Gateway, metadata: &Value) -> Answer {
    Caller::new(&gateway.url).at("/login/register").post(metadata.to_string()).await
}
