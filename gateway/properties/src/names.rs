//! Names of targets and paths, patterns over names and URIs, names made short for clients.

use causeway_core::{
    name::{Fit, PathName, Pattern, Selection, TargetName, ToolsetName},
    nearest::nearest,
};

use crate::input;

/// A name, a pattern and another pattern, each in a line, and then a text or URI.
///
/// What is taken for a name is written as it was read; a merged name is taken apart at its first delimiter; patterns match as the
/// textbook's slow matcher says; a URI that is held back in one spelling is in no other; a short name is short, plain and always
/// the same.
pub fn check(data: &[u8]) {
    let Some(([name, pattern, other], text)) = input::texts(data) else { return };
    named(name, text);
    matched(pattern, text);
    held_back(pattern, other, text);
    shortened(name);
    shortened(text);
    // People type names, so this one need not be quick with long ones.
    let short = [name, pattern, other].iter().all(|text| text.len() < 200);
    assert!(!short || nearest(name, [pattern, other]).is_none_or(|it| it == pattern || it == other));
}

fn named(name: &str, tool: &str) {
    if let Ok(target) = name.parse::<TargetName>() {
        assert_eq!(target.as_str(), name);
        assert!(!name.contains('_') && name.is_ascii() && name.len() <= 200);
        let merged = target.join(tool);
        assert_eq!(merged.split_once("___"), Some((name, tool)), "a merged name has another target");
    }
    if let Err(bad) = name.parse::<TargetName>() {
        let text = bad.to_string();
        let suggested = text.rsplit('`').nth(1).unwrap_or_default();
        assert!(suggested.parse::<TargetName>().is_ok(), "{suggested:?} is suggested, and is no name");
    }
    if let Ok(path) = name.parse::<PathName>() {
        assert_eq!(path.to_string().parse::<PathName>().as_ref(), Ok(&path), "a path is read as another");
    }
    assert_eq!(name.parse::<ToolsetName>().is_ok(), name.parse::<TargetName>().is_ok());
}

/// Against the definition, by filling a table.
fn matched(pattern: &str, text: &str) {
    if pattern.len() * text.len() > 1 << 14 {
        return;
    }
    let text_chars: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text_chars.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; reached.len()];
        for at in 0..reached.len() {
            match wanted {
                '*' => next[at] = reached[at] || at > 0 && next[at - 1],
                _ => next[at] = at > 0 && reached[at - 1] && (wanted == '?' || wanted == text_chars[at - 1]),
            }
        }
        reached = next;
    }
    assert_eq!(Pattern::new(pattern).matches(text), reached[text_chars.len()], "{pattern:?} over {text:?}");
}

/// No spelling of a URI gets past what holds it back.
fn held_back(include: &str, exclude: &str, uri: &str) {
    let patterns = |text: &str| (!text.is_empty()).then(|| Pattern::new(text)).into_iter().collect::<Vec<_>>();
    let selection = Selection { include: patterns(include), exclude: patterns(exclude) };
    if selection.is_everything() || !selection.selects_unlisted(uri) {
        return;
    }
    assert!(selection.selects(uri), "{uri:?} is selected only when nobody lists it");
    assert!(uri.is_ascii() && !uri.contains(['\0', ' ', '\n', '\r', '\\']), "{uri:?} is no URI");
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once(':').map_or("", |(_, path)| path);
    for segment in path.split('/') {
        let plain = segment.replace("%2E", ".").replace("%2e", ".");
        assert!(!matches!(plain.as_str(), "." | ".."), "{uri:?} climbs");
    }
    for hidden in ["%2F", "%2f", "%5C", "%5c", "%2E", "%2e"] {
        assert!(!uri.contains(hidden), "{uri:?} hides a part of its path");
    }
    // Every letter escaped is the same URI to many servers.
    let escaped: String = uri
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { format!("%{byte:02X}") } else { char::from(byte).into() })
        .collect();
    if uri.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        assert!(!selection.selects_unlisted(&escaped), "{escaped:?} passes where it is escaped needlessly");
    }
}

fn shortened(name: &str) {
    for most in [Fit::LEAST, 42, 64] {
        let fit = Fit { most };
        let short = fit.shorten(name);
        assert!(fit.takes(&short) || short == name, "{short:?} does not fit in {most}");
        assert!(fit.takes(&short), "{short:?} is not what clients take");
        assert_eq!(fit.shorten(name), short, "a short name changes");
        assert_eq!(fit.shorten(&short), short, "a short name is not short enough");
        if fit.takes(name) {
            assert_eq!(short, name);
        }
    }
}
