//! Turns what serde says about a member into what its author should write instead. Reads names of keys and types out of
//! serde's messages, never values: a value could be a secret.

use toml::de::DeValue;

use super::{super::file::list_page::EXPECTED, Step};

/// A mistake of shape in words.
pub(super) struct Wording {
    pub(super) message: String,
    /// The key that was meant, where that is clear: its absence is then no second mistake.
    pub(super) meant: Option<String>,
}

/// What people write in `[[targets]]`, the key that it is here, and the member of the target that this key begins with.
const ELSEWHERE: [(&str, &str, &str); 10] = [
    ("endpoint", "http.endpoint", "http"),
    ("url", "http.endpoint", "http"),
    ("runtime_arn", "http.runtime_arn", "http"),
    ("command", "stdio.command", "stdio"),
    ("args", "stdio.command", "stdio"),
    ("env", "stdio.env", "stdio"),
    ("client_credentials", "credential.client_credentials", "credential"),
    ("api_key", "credential.api_key", "credential"),
    ("sigv4", "credential.sigv4", "credential"),
    ("sample", "dev.sample", "dev"),
];

/// `message` is serde's, about the `value` that `steps` lead to.
pub(super) fn of(message: &str, steps: &[Step], value: &DeValue<'_>) -> Wording {
    if let Some(names) = message.strip_prefix("unknown field ") {
        return unknown_key(steps, &known(names));
    }
    if let Some(names) = message.strip_prefix("unknown variant ") {
        return match value {
            DeValue::String(found) => unknown_choice(steps, found, &known(names)),
            _ => unknown_key(steps, &known(names)),
        };
    }
    let name = path(steps);
    let message = if message.starts_with("wanted exactly 1 element") {
        format!("`{name}` takes exactly one table; leave the others out")
    } else if message.contains("newtype variant") {
        let choice = value.as_str().unwrap_or("…");
        format!("`{choice}` needs settings of its own; write a table `[{name}.{choice}]` for them")
    } else if let Some((_, expected)) = message.rsplit_once("expected ") {
        wrong_type(&name, expected, value)
    } else {
        format!("`{name}` takes a text or a table, not {}; write what the annotated config.toml has there", kind(value))
    };
    Wording { message, meant: None }
}

fn unknown_key(steps: &[Step], known: &[String]) -> Wording {
    let key = match steps.last() {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    let table = match path(&steps[..steps.len() - 1]) {
        path if path.is_empty() => String::new(),
        path => format!(" in `{path}`"),
    };
    if let Some(reference) = reference_for(key, known) {
        return Wording { message: literal_secret(key, &table, reference, known), meant: Some(reference.into()) };
    }
    let of_target = known.iter().any(|name| name == "stdio");
    if let Some((_, right, meant)) = ELSEWHERE.iter().find(|(wrong, _, _)| of_target && *wrong == key) {
        let message = format!("unknown key `{key}`{table}; did you mean `{right}`?");
        return Wording { message, meant: Some((*meant).into()) };
    }
    if let Some(place) = place_of(key, steps) {
        return Wording { message: format!("unknown key `{key}`{table}; it belongs {place}"), meant: None };
    }
    let near = nearest(key, known);
    let advice = near.map_or_else(|| format!("; it takes {}", list(known)), |near| format!("; did you mean `{near}`?"));
    Wording { message: format!("unknown key `{key}`{table}{advice}"), meant: near.map(str::to_owned) }
}

/// Where a key belongs that TOML took for a member of the table before it: people write it below a header by accident.
fn place_of(key: &str, steps: &[Step]) -> Option<&'static str> {
    let in_target = matches!(steps, [Step::Key(first), Step::Entry(_), _, ..] if first == "targets");
    match key {
        "authorizer" if steps.len() > 1 => Some("above the first table of the file"),
        "http" | "stdio" | "credential" | "dev" if in_target && steps.len() > 3 => {
            Some("directly below `[[targets]]`, above the tables in it")
        }
        _ => None,
    }
}

/// The key that refers to the secret which `key` would hold.
fn reference_for<'a>(key: &str, known: &'a [String]) -> Option<&'a str> {
    let any = matches!(key, "secret" | "password" | "token" | "value" | "keys" | "api_key");
    let mut references = known.iter().filter_map(|name| Some((name, name.strip_suffix("_env")?)));
    references.find(|(_, stem)| any || *stem == key).map(|(name, _)| name.as_str())
}

fn literal_secret(key: &str, table: &str, reference: &str, known: &[String]) -> String {
    let file = reference.replace("_env", "_file");
    let or_file = if known.contains(&file) { format!(", or `{file} = \"path\"`") } else { String::new() };
    format!(
        "`{key}`{table} would put a secret into this file; write `{reference}` and the name of a variable of the gateway's \
         environment{or_file}"
    )
}

/// Choices are closed and no secrets, but what stands in their place could be one: it is repeated only where it is near to a
/// choice.
fn unknown_choice(steps: &[Step], found: &str, known: &[String]) -> Wording {
    let name = path(steps);
    let message = match nearest(found, known) {
        Some(near) => format!("`{name}` takes {}, not `{found}`; did you mean `{near}`?", list(known)),
        None if known.len() == 1 => format!("`{name}` takes {}; write that or leave it out", list(known)),
        None => format!("`{name}` takes {}; write one of them", list(known)),
    };
    Wording { message, meant: None }
}

fn wrong_type(name: &str, expected: &str, value: &DeValue<'_>) -> String {
    let (takes, advice) = match (expected, value) {
        ("a sequence", DeValue::Table(_)) if name == "targets" => ("a list", "write `[[targets]]`"),
        ("a sequence", DeValue::Table(_)) if name == "toolsets" => ("a list", "write `[[toolsets]]`"),
        ("a sequence", DeValue::Table(_)) if name == "rate_limits" => ("a list", "write `[[rate_limits]]`"),
        ("a sequence", _) => ("a list", "put the value in brackets"),
        ("a boolean", _) => ("`true` or `false`", "write it without quotes"),
        ("a string" | "path string", DeValue::Array(_) | DeValue::Table(_)) => ("a text", "write one text in quotes"),
        ("a string" | "path string", _) => ("a text", "put it in quotes"),
        (EXPECTED, _) => ("a number of entries or `target`", "write `100`, `\"target\"`, or leave it out for one page"),
        ("u64", DeValue::Integer(_)) => ("a whole number, 0 or more", "leave out the sign"),
        ("u64", DeValue::String(_)) => ("a whole number", "write it without quotes"),
        ("u64", _) => ("a whole number", "write digits only"),
        _ if name == "http" => ("a table", "write `http.endpoint = \"https://…/mcp\"`"),
        _ if name == "stdio" => ("a table", "write `stdio.command = [\"program\", \"argument\"]`"),
        _ if name == "credential" => {
            ("a table", "write `[targets.credential.client_credentials]` or `[targets.credential.api_key]`")
        }
        _ if matches!(name, "tools" | "prompts" | "resources") => ("a table", "write `include = [\"get_*\"]` in it"),
        _ if name == "dev" => ("a table", "write `dev.sample = \"calculator\"`"),
        _ => ("a table", "write what the annotated config.toml has there"),
    };
    format!("`{name}` takes {takes}, not {}; {advice}", kind(value))
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(number) if number.as_str().starts_with('-') => "a negative number",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The dotted name as its author would write it: inside a target or a toolset it starts there.
fn path(steps: &[Step]) -> String {
    let inside = match steps {
        [Step::Key(key), Step::Entry(_), rest @ ..] if key == "targets" || key == "toolsets" => rest,
        _ => steps,
    };
    let mut path = String::new();
    for step in inside {
        match step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => path.push_str(&format!(".{key}")),
            Step::Entry(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// The names in backticks after the one that serde does not know.
fn known(names: &str) -> Vec<String> {
    names
        .split_once(", expected ")
        .map_or("", |(_, known)| known)
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn list(names: &[String]) -> String {
    match names {
        [] => "nothing".into(),
        [one] => format!("`{one}`"),
        [most @ .., last] => format!("`{}` or `{last}`", most.join("`, `")),
    }
}

/// The name that `word` is probably meant to be: at most a third of its letters differ.
fn nearest<'a>(word: &str, names: &'a [String]) -> Option<&'a str> {
    let close = names.iter().map(|name| (distance(word, name), name)).min_by_key(|(distance, _)| *distance);
    close.filter(|(distance, name)| *distance <= name.len().max(3) / 3).map(|(_, name)| name.as_str())
}

/// Letters to insert, delete or replace, and neighbours to swap, to turn one word into the other (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let replaced = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let check = |from, to, expected| assert_eq!(distance(from, to), expected, "{from} {to}");
        check("", "", 0);
        check("", "abc", 3);
        check("endpont", "endpoint", 1);
        check("naem", "name", 1);
        check("kitten", "sitting", 3);
    }

    #[test]
    fn a_word_far_from_all_names_is_near_to_none() {
        let names = ["http".to_owned(), "stdio".to_owned()];
        assert_eq!(nearest("htp", &names), Some("http"));
        assert_eq!(nearest("lambda", &names), None);
    }
}
