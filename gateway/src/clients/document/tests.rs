use proptest::prelude::*;
use serde_json::json;

use super::*;

fn document(text: &str) -> Document {
    Document::parse(text).unwrap()
}

fn set(text: &str, path: &[&str], value: &Value) -> String {
    let mut document = document(text);
    assert_eq!(document.set(path, value), Ok(true));
    assert_eq!(document.set(path, value), Ok(false), "a second time changes nothing");
    assert_eq!(document.get(path), Ok(Some(value.clone())));
    document.text()
}

#[test]
fn an_empty_file_and_one_with_comments_alone() {
    insta::assert_snapshot!(set("", &["servers", "a"], &json!({"url": "u"})), @r#"
    {
      "servers": {
        "a": {
          "url": "u"
        }
      }
    }
    "#);
    insta::assert_snapshot!(set("// mine", &["a"], &json!(1)), @r#"
    // mine
    {
      "a": 1
    }
    "#);
}

#[test]
fn a_member_is_added_as_its_neighbours_stand() {
    let text = "{\n\t// all of them\n\t\"servers\": {\n\t\t\"a\": {\"url\": \"u\"}, // first\n\t\t/* \"b\": {}, */\n\t},\n\t\"inputs\": [],\n}\n";
    insta::assert_snapshot!(set(text, &["servers", "new"], &json!({"url": "v"})).replace('\t', "    "), @r#"
    {
        // all of them
        "servers": {
            "a": {"url": "u"}, // first
            /* "b": {}, */
            "new": {
                "url": "v"
            },
        },
        "inputs": [],
    }
    "#);
}

#[test]
fn a_missing_comma_is_set_before_the_comment() {
    let text = "{\n  \"servers\": {\n    \"a\": 1 // one\n  }\n}";
    insta::assert_snapshot!(set(text, &["servers", "b"], &json!(2)), @r#"
    {
      "servers": {
        "a": 1, // one
        "b": 2
      }
    }
    "#);
}

#[test]
fn empty_objects_and_lines_with_several_members() {
    insta::assert_snapshot!(set("{\"servers\": {}}", &["servers", "b"], &json!(2)), @r#"
    {"servers": {
      "b": 2
    }}
    "#);
    insta::assert_snapshot!(set("{ \"a\": 1 }", &["b"], &json!({"c": [1]})), @r#"{ "a": 1, "b": {"c":[1]} }"#);
    insta::assert_snapshot!(set("{ \"a\": 1, }", &["b"], &json!(2)), @r#"{ "a": 1, "b": 2, }"#);
    insta::assert_snapshot!(set("{\"servers\": { // none yet\n}}", &["servers", "b"], &json!(2)), @r#"
    {"servers": { // none yet
      "b": 2
    }}
    "#);
}

#[test]
fn line_ends_and_the_byte_order_mark_stay() {
    let text = "\u{feff}{\r\n  \"a\": 1\r\n}\r\n";
    assert_eq!(
        set(text, &["b", "c"], &json!(2)),
        "\u{feff}{\r\n  \"a\": 1,\r\n  \"b\": {\r\n    \"c\": 2\r\n  }\r\n}\r\n"
    );
    assert!(!document(text).is_plain());
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    let text = "{\n  \"a\": {\"x\": 1}, // kept\n  \"b\": \"old\" /* too */\n}";
    insta::assert_snapshot!(set(text, &["b"], &json!("new")), @r#"
    {
      "a": {"x": 1}, // kept
      "b": "new" /* too */
    }
    "#);
    insta::assert_snapshot!(set(text, &["a"], &json!({"x": 2})), @r#"
    {
      "a": {
        "x": 2
      }, // kept
      "b": "old" /* too */
    }
    "#);
}

#[test]
fn an_array_gets_an_element_once() {
    let mut document = document("{\n  \"inputs\": [\n    {\"id\": \"x\"}\n  ]\n}");
    assert_eq!(document.push(&["inputs"], &json!({"id": "y"})), Ok(true));
    assert_eq!(document.push(&["inputs"], &json!({"id": "y"})), Ok(false));
    insta::assert_snapshot!(document.text(), @r#"
    {
      "inputs": [
        {"id": "x"},
        {
          "id": "y"
        }
      ]
    }
    "#);
    assert_eq!(document.pull(&["inputs"], &json!({"id": "y"})), Ok(true));
    assert_eq!(document.pull(&["inputs"], &json!({"id": "y"})), Ok(false));
    assert_eq!(document.text(), "{\n  \"inputs\": [\n    {\"id\": \"x\"}\n  ]\n}");
    assert_eq!(document.push(&["inputs", "id"], &json!(1)), Err(Misshapen::NoObject("inputs".into())));
}

fn removed(text: &str, path: &[&str], expected: &str) {
    let mut document = document(text);
    assert_eq!(document.remove(path), Ok(true));
    assert_eq!(document.text(), expected);
    assert_eq!(document.remove(path), Ok(false));
}

#[test]
fn a_member_goes_with_its_comma_and_its_line() {
    removed("{\n  \"a\": 1,\n  \"b\": 2\n}", &["b"], "{\n  \"a\": 1\n}");
    removed("{\n  \"a\": 1,\n  \"b\": 2\n}", &["a"], "{\n  \"b\": 2\n}");
    removed("{\n  \"a\": 1,\n\n  \"b\": 2,\n}", &["b"], "{\n  \"a\": 1,\n\n}");
    removed("{\n  \"a\": 1,\n  \"b\": 2 // why\n}", &["b"], "{\n  \"a\": 1\n // why\n}");
    removed("{\"a\": 1, \"b\": 2, \"c\": 3}", &["b"], "{\"a\": 1, \"c\": 3}");
    removed("{\"a\": 1, \"b\": 2}", &["b"], "{\"a\": 1}");
    removed("{\n  \"a\": 1\n}", &["a"], "{}");
    removed("{\n  // c\n  \"a\": 1\n}", &["a"], "{\n  // c\n}");
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let refused = |text: &str| Document::parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(refused("{\n  \"a\": 1\n  \"b\": 2\n}"), @"line 2, column 9: Expected comma");
    insta::assert_snapshot!(refused("{\n  \"a\": 'x'\n}"), @"line 2, column 8: Single-quoted strings are not allowed");
    insta::assert_snapshot!(refused("{\"a\": "), @"line 1, column 7: Expected value after colon in object property");
    insta::assert_snapshot!(refused("[1]"), @"line 1, column 1: the file holds no object");
    insta::assert_snapshot!(refused("{a: 1}"), @"line 1, column 2: Expected string for object property");
}

#[test]
fn what_is_no_object_and_what_stands_twice_is_not_touched() {
    let mut document = document("{\"servers\": [], \"a\": 1, \"a\": 2}");
    assert_eq!(document.set(&["servers", "x"], &json!(1)), Err(Misshapen::NoObject("servers".into())));
    assert_eq!(document.set(&["a"], &json!(1)), Err(Misshapen::Twin("a".into())));
    assert_eq!(document.text(), "{\"servers\": [], \"a\": 1, \"a\": 2}");
}

/// A file as somebody might have written it.
fn jsonc() -> impl Strategy<Value = String> {
    let gap = prop::sample::select(vec!["", " ", "\n", "\n    ", "\t", " // c\n", "/* c */", "\r\n  ", "\n\n"]);
    let leaf =
        prop::sample::select(vec!["1", "\"t\"", "null", "true", "\"${x}\"", "-1.5e3", "\"\\u00e9 , }\"", "[]", "{}"]);
    let value = leaf.prop_map(str::to_owned).boxed().prop_recursive(3, 24, 4, move |inner| {
        let items = prop::collection::vec((gap.clone(), inner, gap.clone()), 1..4);
        (items, any::<bool>(), gap.clone(), any::<bool>()).prop_map(|(items, is_object, end, trailing)| {
            let written = items.iter().enumerate().map(|(at, (before, value, after))| match is_object {
                true => format!("{before}\"k{at}\":{value}{after}"),
                false => format!("{before}{value}{after}"),
            });
            let inside = written.collect::<Vec<_>>().join(",") + if trailing { "," } else { "" } + end;
            if is_object { format!("{{{inside}}}") } else { format!("[{inside}]") }
        })
    });
    (value.clone(), value, any::<bool>()).prop_map(|(one, two, bom)| {
        let bom = if bom { "\u{feff}" } else { "" };
        format!("{bom}{{\n  \"one\": {one},\n  \"servers\": {two}\n}}\n")
    })
}

/// What is left of `text` without white space and commas, which an edit next to them may change.
fn essence(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect()
}

proptest! {
    #[test]
    fn everything_else_stays_byte_for_byte(text in jsonc()) {
        let mut changed = document(&text);
        let value = json!({"type": "http", "url": "u", "headers": {"A": "b"}});
        let Ok(_) = changed.set(&["servers", "new"], &value) else { return Ok(()) };
        let now = changed.text();
        prop_assert_eq!(Document::parse(&now).unwrap().get(&["servers", "new"]), Ok(Some(value.clone())));
        // One insertion, but for a comma before it: both ends of the old text are there, and nothing between them is lost.
        let added = essence(&now);
        let was = essence(&text);
        let common: usize = was.chars().zip(added.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
        let rest = &was[common..];
        prop_assert!(added.ends_with(rest), "{}\n---\n{}", text, now);
        prop_assert_eq!(added.len() - was.len(), added[common..added.len() - rest.len()].len());
        let mut again = document(&now);
        prop_assert_eq!(again.set(&["servers", "new"], &value), Ok(false));
        let had_members = matches!(document(&text).get(&["servers"]), Ok(Some(Value::Object(members))) if !members.is_empty());
        prop_assert_eq!(again.remove(&["servers", "new"]), Ok(true));
        if had_members {
            prop_assert_eq!(again.text(), text);
        }
    }
}
