//! The headers that a client on standard streams has no place for: the modern era's, made of the body that they repeat, and the
//! legacy era's, as `initialize` settled them.

use causeway_core::{
    catalog,
    era::{self, headers},
    wire::{Envelope, ObjectEdit},
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    gateway::{Call, Gateway},
    headers::{SESSION, VERSION},
};

/// What each message of a legacy session carries.
#[derive(Clone, Debug)]
pub(super) struct Session {
    id: HeaderValue,
    version: HeaderValue,
}

impl Session {
    /// The session `id`, opened by this answer to `initialize`.
    pub(super) fn opened(id: HeaderValue, answer: &[u8]) -> Option<Self> {
        let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
        let version = answer["result"]["protocolVersion"].as_str()?;
        Some(Self { id, version: HeaderValue::try_from(version).ok()? })
    }

    pub(super) fn headers(self) -> [(HeaderName, HeaderValue); 2] {
        [(SESSION, self.id), (VERSION, self.version)]
    }
}

/// The headers of a request that names a version in its body, as each of the modern era does; `None` for any other. What a header
/// cannot carry is left out, and the front refuses the request for it.
pub(super) async fn of_modern(gateway: &Gateway, envelope: &Envelope) -> Option<HeaderMap> {
    let params = ObjectEdit::parse(envelope.params()?).ok()?;
    let text = |edit: &ObjectEdit<'_>, key| serde_json::from_str::<String>(edit.get(key)?).ok();
    let version = text(&ObjectEdit::parse(params.get("_meta")?).ok()?, era::META_VERSION)?;
    let mut all = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            all.insert(name, value);
        }
    };
    add(headers::VERSION, &version);
    add(headers::METHOD, envelope.method());
    let name = headers::named_by(envelope.method()).and_then(|member| text(&params, member));
    if let Some(name) = &name {
        add(headers::NAME, &headers::encode(name));
    }
    if let Some(tool) = name.filter(|_| Call::of_method(envelope.method()) == Some(Call::Tool)) {
        let view = gateway.view_with(catalog::Kind::Tools, &tool).await;
        if let Ok(route) = view.catalog.route(catalog::Kind::Tools, &tool) {
            let repeated = route.first().header_params.headers(params.get("arguments").unwrap_or("{}"));
            repeated.iter().for_each(|(name, value)| add(name, value));
        }
    }
    Some(all)
}
