//! The modern era toward a target: one self-contained request, its parts repeated in headers.

use causeway_core::{
    canonical::Request,
    era::{self, headers},
    wire::{ObjectEdit, request_message},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{
    Fault, HttpTarget, Outcome,
    answer::{Content, modern_reply},
    header_value,
};

/// Sends `request` with `changes` made to its parameters.
pub(super) async fn send(target: &HttpTarget, request: &Request, changes: &[(&str, &str)]) -> Result<Outcome, Fault> {
    let params = request.modern_params(changes).map_err(|error| Fault::Garbage(error.to_string()))?;
    let headers = request_headers(request, &params)?;
    let answer = target.exchange(headers, request_message(&request.id, &request.method, &params)).await?;
    let status = answer.status();
    let content = answer.content().await?;
    match (status, &content) {
        // No modern server answers so: it became, or always was, a legacy one.
        (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, Content::None) => {
            Ok(Outcome::OtherEra)
        }
        _ => modern_reply(content, status).map(Outcome::Done),
    }
}

fn request_headers(request: &Request, params: &str) -> Result<HeaderMap, Fault> {
    let mut map = HeaderMap::with_capacity(8);
    map.insert(headers::VERSION, HeaderValue::from_static(era::MODERN));
    map.insert(headers::METHOD, header_value(&request.method)?);
    if let Some(member) = headers::named_by(&request.method) {
        let named = ObjectEdit::parse(params).ok().and_then(|params| Some(params.get(member)?.to_owned()));
        let named: Option<String> = named.and_then(|name| serde_json::from_str(&name).ok());
        if let Some(name) = named {
            map.insert(headers::NAME, header_value(&headers::encode(&name))?);
        }
    }
    for (name, value) in &request.param_headers {
        if let Ok(name) = HeaderName::try_from(name) {
            map.append(name, header_value(value)?);
        }
    }
    Ok(map)
}
