//! Headers in which a modern request repeats parts of its body: `Mcp-Name` and `Mcp-Param-*`.

use causeway_core::era::{headers, params::HeaderParams};
use http::HeaderValue;

use crate::{input, json};

/// A header value, the arguments of a call, each in a line, and then the input schema of the tool.
///
/// Any text survives a header, no text becomes two lines of one, and headers that were made of arguments agree with them and with
/// no others.
pub fn check(data: &[u8]) {
    let Some(([value, arguments], schema)) = input::texts(data) else { return };
    for text in [value, arguments, schema] {
        let encoded = headers::encode(text);
        assert!(HeaderValue::from_str(&encoded).is_ok(), "no header can hold {encoded:?}");
        assert_eq!(encoded.trim(), &*encoded, "a header loses the white space around it");
        assert_eq!(headers::decode(&encoded).as_deref(), Some(text), "a text is another behind a header");
    }
    if let Some(decoded) = headers::decode(value) {
        assert_eq!(headers::decode(&headers::encode(&decoded)).as_deref(), Some(&*decoded));
    }
    let Ok(params) = HeaderParams::of_schema(schema) else { return };
    if !json::is_json(arguments) {
        return;
    }
    let made = params.headers(arguments);
    let lines =
        |name: &str| made.iter().filter(|(of, _)| of == name).map(|(_, value)| value.as_bytes()).collect::<Vec<_>>();
    for (name, value) in &made {
        assert!(name.starts_with(headers::PARAM_PREFIX), "`{name}` is no such header");
        assert!(http::HeaderName::try_from(name.as_str()).is_ok() && HeaderValue::from_str(value).is_ok());
        assert_eq!(lines(name).len(), 1, "`{name}` was made twice");
    }
    let agrees = params.check(arguments, lines);
    let is_twice = matches!(agrees, Err(causeway_core::era::params::Mismatch::Twice { .. }));
    assert!(agrees.is_ok() || is_twice, "what was made of the arguments does not agree with them: {agrees:?}");
    for (name, value) in &made {
        let without = |of: &str| lines(of).into_iter().filter(|_| of != name).collect::<Vec<_>>();
        assert!(params.check(arguments, without).is_err(), "`{name}` may be left out");
        let longer = [value.as_bytes(), b"x"].concat();
        let other = |of: &str| if of == name { vec![longer.as_slice()] } else { lines(of) };
        assert!(params.check(arguments, other).is_err(), "`{name}` may say something else");
        let twice = |of: &str| lines(of).repeat(if of == name { 2 } else { 1 });
        assert!(params.check(arguments, twice).is_err(), "`{name}` may stand there twice");
    }
}
