//! Who comes in at the admin port, and how: pages of strangers never, everyone of this machine on loopback, elsewhere whom the
//! gateway's authorizer lets in, by a token in the request or by one that the browser keeps sealed. Shows no page itself.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use causeway_core::era::Era;
use http::{HeaderMap, Method, header, request::Parts};
use url::Url;

use super::{
    Admin, HEALTH_PATH, METRICS_PATH,
    dashboard::{self, Session},
};
use crate::{
    front,
    http::{MCP_PATH, origin, read, refuse},
    inbound::{Caller, Refusal},
};

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// In whose name a tool is called.
    pub(super) caller: Arc<Caller>,
    /// With a token that the browser keeps, which can be taken away again.
    pub(super) signed_in: bool,
}

/// Refuses pages of strangers, and on an address that other machines reach who is not let in.
pub(super) async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    // No page of another origin has any business here, whatever the gateway allows to call it.
    let allowed = origin::Allowed { public: None, origins: own_origin(&parts.headers).into_iter().collect() };
    if let Err(refused) = origin::check(&parts.headers, admin.local, &allowed) {
        return front::face(refused.face(Era::Legacy, "null"));
    }
    if !matches!(parts.method, Method::GET | Method::HEAD) && !is_of_own_page(&parts.headers) {
        return dashboard::stranger();
    }
    if admin.is_open(parts.uri.path()) {
        let caller = Arc::new(Caller::on_admin_port());
        parts.extensions.insert(Visitor { caller, signed_in: false });
        return next.run(Request::from_parts(parts, body)).await;
    }
    let signed_in = Session::present(&admin, &mut parts);
    let is_page = dashboard::is_page(parts.uri.path());
    match admitted(&admin, &parts, body).await {
        Ok((caller, body)) => {
            parts.extensions.insert(Visitor { caller, signed_in });
            next.run(Request::from_parts(parts, body)).await
        }
        Err(Refused::Caller(refusal, _)) if is_page => dashboard::ask_to_sign_in(&admin, &parts, &refusal, signed_in),
        Err(Refused::Caller(refusal, body)) => refuse(&admin.served, MCP_PATH, &refusal, &parts.headers, body).await,
        Err(Refused::Body(refused)) => refused,
    }
}

/// Why a request goes no further.
enum Refused {
    /// With the body, as far as it was not read.
    Caller(Box<Refusal>, Body),
    Body(Response),
}

/// Who sends this request, and its body, which may be a part of the proof.
async fn admitted(admin: &Admin, parts: &Parts, body: Body) -> Result<(Arc<Caller>, Body), Refused> {
    let served = &admin.served;
    let claim = match served.gateway.inbound.authenticate(parts).await {
        Ok(claim) => claim,
        Err(refusal) => return Err(Refused::Caller(Box::new(refusal), body)),
    };
    let body = read(body, served.limits.request_bytes, served.limits.request_time).await;
    let body = body.map_err(|refused| Refused::Body(front::face(refused.face(Era::Legacy, "null"))))?;
    match claim.prove(parts, &body).await {
        Ok(caller) => Ok((caller, body.into())),
        Err(refusal) => Err(Refused::Caller(Box::new(refusal), body.into())),
    }
}

/// The origin of a page of this very port, if that is where the request comes from: it names the host that the browser asks.
fn own_origin(headers: &HeaderMap) -> Option<Url> {
    let origin: Url = headers.get(header::ORIGIN)?.to_str().ok()?.parse().ok()?;
    let host: http::uri::Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    let shown = format!("{}://{host}", origin.scheme()).parse::<Url>().ok()?;
    (origin.origin().is_tuple() && shown.origin() == origin.origin()).then_some(origin)
}

/// Whether a request that does something comes from a page of this port. Browsers say so, where they may be believed
/// (`Sec-Fetch-Site`, which needs https or loopback), or else say whose page it is (`Origin`).
fn is_of_own_page(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => own_origin(headers).is_some(),
    }
}

impl Admin {
    /// Whether everyone may see it.
    fn is_open(&self, path: &str) -> bool {
        let on_loopback = self.local.ip().is_loopback();
        on_loopback
            || path == HEALTH_PATH
            || dashboard::is_open(path)
            || (path == METRICS_PATH && self.settings.open_metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_page_of_this_port_may_do_something() {
        let check = |lines: &[(&'static str, &str)], own| assert_eq!(is_of_own_page(&headers(lines)), own, "{lines:?}");
        check(&[("host", "10.0.0.7:8081"), ("origin", "http://10.0.0.7:8081")], true);
        check(&[("host", "ops.example"), ("origin", "https://ops.example")], true);
        check(&[("host", "localhost:8081"), ("origin", "http://localhost:6274")], false);
        check(&[("host", "ops.example"), ("origin", "null")], false);
        check(&[("host", "ops.example")], false);
        check(&[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "cross-site")], false);
        check(&[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "same-site")], false);
        check(&[("host", "inner:8081"), ("origin", "https://ops.example"), ("sec-fetch-site", "same-origin")], true);
    }
}
