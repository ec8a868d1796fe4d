//! A browser by hand: it keeps cookies by host, follows a redirect only when it is told to, and reaches the gateway's public name at
//! the gateway's address. Runs no script; the real one is in interop/.

use std::collections::BTreeMap;

use reqwest::{Client, Method, StatusCode, header, redirect::Policy};
use url::{Url, form_urlencoded::Serializer};

/// One browser, with nothing in it at first.
#[derive(Clone)]
pub(crate) struct Browser {
    /// The origin that the gateway goes by, and where it listens.
    gateway: (String, String),
    /// By host: name and value.
    pub(crate) cookies: BTreeMap<String, BTreeMap<String, String>>,
    http: Client,
}

/// What it shows.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new(public: &str, listening: &str) -> Self {
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { gateway: (public.to_owned(), listening.to_owned()), cookies: BTreeMap::new(), http }
    }

    pub(crate) async fn open(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, &[], "").await
    }

    /// Sends a form as a page of the URL's own site does.
    pub(crate) async fn submit(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let origin = Url::parse(url).unwrap().origin().ascii_serialization();
        self.submit_from(&origin, url, form).await
    }

    /// Sends a form as a page of `origin` does.
    pub(crate) async fn submit_from(&mut self, origin: &str, url: &str, form: &[(&str, &str)]) -> Page {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = [("origin", origin), ("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, url, &headers, &body).await
    }

    async fn send(&mut self, method: Method, url: &str, headers: &[(&str, &str)], body: &str) -> Page {
        let shown = Url::parse(url).unwrap();
        let host = shown.host_str().unwrap().to_owned();
        let reached = url.replace(&self.gateway.0, &self.gateway.1);
        let mut request = self.http.request(method, reached).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookies) = self.cookies.get(&host) {
            let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            self.keep(&host, cookie.to_str().unwrap());
        }
        Page { url: shown, status, headers, text: response.text().await.unwrap() }
    }

    fn keep(&mut self, host: &str, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let kept = self.cookies.entry(host.to_owned()).or_default();
        match attributes.contains("Max-Age=0;") {
            true => kept.remove(name),
            false => kept.insert(name.to_owned(), value.to_owned()),
        };
    }
}

impl Page {
    /// Where it sends the browser.
    pub(crate) fn location(&self) -> Url {
        let location = self.headers.get(header::LOCATION).unwrap_or_else(|| panic!("no redirect: {self:?}"));
        self.url.join(location.to_str().unwrap()).unwrap()
    }

    /// A parameter of where it sends the browser.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.location().query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The value of the hidden field `name`.
    pub(crate) fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&mark).unwrap_or_else(|| panic!("no field `{name}`: {self:?}"));
        rest.split_once('"').unwrap().0.to_owned()
    }
}
