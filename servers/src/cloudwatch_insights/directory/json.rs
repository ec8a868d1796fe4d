//! The fields of a JSON line, by path: `a.b`, and `a.0` in arrays. Objects and arrays themselves are no fields.
//!
//! Source: the page `CWL_AnalyzeLogData-discoverable-fields` of the CloudWatch Logs user guide.

use rusqlite::types::Value as Sql;
use serde_json::Value;

/// The value at `path`; a name may itself have dots.
pub(super) fn field(value: &Value, path: &str) -> Option<Sql> {
    inside(value, path).and_then(leaf)
}

/// Calls `on` with the path of each field.
pub(super) fn each_field(value: &Value, on: &mut impl FnMut(&str)) {
    below(value, &mut String::new(), on);
}

fn inside<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(path).or_else(|| {
            let dots = path.match_indices('.').map(|(at, _)| at);
            dots.filter_map(|at| inside(members.get(&path[..at])?, &path[at + 1..])).next()
        }),
        Value::Array(items) => {
            let (index, rest) = path.split_once('.').map_or((path, None), |(index, rest)| (index, Some(rest)));
            let item = items.get(index.parse::<usize>().ok()?)?;
            rest.map_or(Some(item), |rest| inside(item, rest))
        }
        _ => None,
    }
}

/// As CloudWatch holds it: truth is a number, and `null` is absent.
fn leaf(value: &Value) -> Option<Sql> {
    match value {
        Value::Bool(truth) => Some(Sql::Integer((*truth).into())),
        Value::String(text) => Some(Sql::Text(text.clone())),
        Value::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Sql::Integer(whole),
            (None, Some(real)) if !number.is_u64() => Sql::Real(real),
            _ => Sql::Text(number.to_string()),
        }),
        Value::Null | Value::Object(_) | Value::Array(_) => None,
    }
}

fn below(value: &Value, path: &mut String, on: &mut impl FnMut(&str)) {
    let mut enter = |name: &str, value: &Value, path: &mut String| {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        below(value, path, on);
        path.truncate(length);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| enter(name, value, path)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| enter(&index.to_string(), value, path));
        }
        Value::Null => {}
        _ => on(path),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths() {
        let line = json!({"a": {"b": 1, "c.d": "x"}, "a.b": 2, "e": [{"f": true}, [0.5]], "n": null, "big": u64::MAX});
        let check = |path: &str, expected: Option<Sql>| assert_eq!(field(&line, path), expected, "{path}");
        check("a.b", Some(Sql::Integer(2)));
        check("a.c.d", Some(Sql::Text("x".into())));
        check("e.0.f", Some(Sql::Integer(1)));
        check("e.1.0", Some(Sql::Real(0.5)));
        check("big", Some(Sql::Text("18446744073709551615".into())));
        for absent in ["a", "e", "e.0", "e.2", "n", "x", "a.", ".", "e.-1"] {
            check(absent, None);
        }
    }

    #[test]
    fn all_of_them() {
        let mut seen = Vec::new();
        each_field(&json!({"a": {"b": 1}, "e": [{"f": true}, 2], "n": null, "s": ""}), &mut |name| {
            seen.push(name.to_owned())
        });
        assert_eq!(seen, ["a.b", "e.0.f", "e.1", "s"]);
    }
}
