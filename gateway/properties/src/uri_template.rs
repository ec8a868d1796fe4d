//! URI templates.

use causeway_core::catalog::UriTemplate;

use crate::input;

/// A template in a line, a value for its variables in another, and then a URI.
///
/// A template without expressions matches itself alone; one whose variables are simple matches each expansion of them; time is
/// bounded by the length of both, which the searcher's own time limit shows.
pub fn check(data: &[u8]) {
    let Some(([template, value], uri)) = input::texts(data) else { return };
    let Ok(parsed) = UriTemplate::parse(template) else {
        return assert!(template.contains(['{', '}']), "{template:?} is no template, and has no braces");
    };
    parsed.matches(uri);
    assert!(parsed.fixed() <= template.len());
    if !template.contains('{') {
        assert!(parsed.matches(template) || template.len() > 16 << 10, "{template:?} does not match itself");
        return;
    }
    if let Some(expanded) = expanded(template, value) {
        assert!(parsed.matches(&expanded) || expanded.len() > 16 << 10, "{template:?} does not match {expanded:?}");
    }
}

/// With `value` for every variable, where all expressions are simple (RFC 6570, level 1) and each `%` begins an escape: behind another
/// one, a value may look like the rest of it.
fn expanded(template: &str, value: &str) -> Option<String> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded: String = value
        .bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect();
    let (mut out, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let is_simple = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let mut escapes = before.split('%').skip(1);
        let is_whole = escapes.all(|code| code.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2);
        (is_simple && is_whole).then_some(())?;
        out.extend([before, &encoded]);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}
