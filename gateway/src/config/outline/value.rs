//! A value of config.toml as people read it. A reference to a secret says where that is; what may hold a secret against all advice
//! is masked.

use toml::Value;
use url::Url;

/// In place of what is not shown.
const MASK: &str = "***";

/// What the setting `key` is.
pub(super) fn shown(key: &str, value: &Value) -> String {
    let reference = |word: &str| each(value, |text| format!("{word} {text}"));
    match key {
        "command" => command(value),
        "env" => pairs(value, |_| MASK.to_owned()),
        _ if key == "env_from" || (key.ends_with("_env") && value.is_table()) => {
            pairs(value, |value| format!("variable {}", plain(value)))
        }
        key if key.ends_with("_env") => reference("variable"),
        key if key.ends_with("_file") => reference("file"),
        _ => match value {
            Value::Table(_) => pairs(value, plain),
            _ => each(value, ToOwned::to_owned),
        },
    }
}

/// Each text of a list, or the one text, made by `make`.
fn each(value: &Value, make: impl Fn(&str) -> String) -> String {
    match value {
        Value::Array(values) if values.is_empty() => "none".into(),
        Value::Array(values) => values.iter().map(|value| make(&plain(value))).collect::<Vec<_>>().join(", "),
        value => make(&plain(value)),
    }
}

fn pairs(value: &Value, make: impl Fn(&Value) -> String) -> String {
    let members = value.as_table().into_iter().flatten();
    members.map(|(name, value)| format!("{name} = {}", make(value))).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => without_password(text),
        value => value.to_string(),
    }
}

/// A URL without what could let somebody in.
fn without_password(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return text.to_owned() };
    if url.password().is_none() && url.username().is_empty() && url.query().is_none() {
        return text.to_owned();
    }
    // These fail only for URLs that cannot have a user.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    if url.query().is_some() {
        url.set_query(Some(MASK));
    }
    url.into()
}

/// Arguments of a program; those that a flag, a variable or a header calls secret are masked, and lines for a shell that name one.
fn command(value: &Value) -> String {
    let mut masks_next = false;
    let words = value.as_array().into_iter().flatten().map(|word| {
        let word = plain(word);
        if std::mem::take(&mut masks_next) {
            return MASK.to_owned();
        }
        let name = word.split(['=', ':']).next().unwrap_or_default();
        let sign = word[name.len()..].chars().next();
        let is_line = |text: &str| text.contains(char::is_whitespace);
        match (names_secret(name), sign) {
            (true, _) if is_line(name) => MASK.to_owned(),
            (true, Some(sign)) => format!("{name}{sign}{MASK}"),
            (true, None) => {
                // A plain word says nothing of the next, such as the name of a script.
                masks_next = name.starts_with('-') || name.to_ascii_lowercase().contains("passw");
                word
            }
            (false, _) if is_line(&word) && names_secret(&word) => MASK.to_owned(),
            (false, Some('=')) => format!("{name}={}", without_password(&word[name.len() + 1..])),
            (false, _) => word,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["secret", "token", "password", "passwd", "key", "auth", "credential", "bearer"];
    words.iter().any(|word| name.contains(word))
}
