//! Inputs that a searcher does not come to, because they are long: very deep, very large numbers, very long keys and names, the same
//! key many times. Each parser gets each of them wherever it takes a text, on the stack of a thread.

use std::thread::Builder;

use causeway_properties::ALL;

const DEPTH: usize = 20_000;
/// That of a thread. A parser that goes down once a level would need more.
const STACK: usize = 2 << 20;

/// Texts that could be JSON, TOML, a header, a name or a URI.
fn extremes() -> Vec<(&'static str, String)> {
    let repeated = |part: &str, times| part.repeat(times);
    let nested =
        |open: &str, inner: &str, close: &str| [&repeated(open, DEPTH), inner, &repeated(close, DEPTH)].concat();
    vec![
        ("arrays", nested("[", "", "]")),
        ("arrays without an end", repeated("[", DEPTH)),
        ("objects", nested(r#"{"a":"#, "1", "}")),
        ("schemas", nested(r#"{"properties":{"a":"#, "{}", "}}")),
        (
            "parameters",
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}}"#, nested("[", "", "]")),
        ),
        ("result", format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"a":{}}}}}"#, nested("[", "", "]"))),
        ("tools", format!(r#"{{"tools":[{{"name":"a","inputSchema":{}}}]}}"#, nested(r#"{"items":"#, "{}", "}"))),
        ("capabilities", format!(r#"{{"tools":[],"tasks":{}}}"#, nested(r#"{"a":"#, "{}", "}"))),
        ("keys", format!(r#"{{"keys":[{}]}}"#, nested("[", "", "]"))),
        ("tables", nested("a.", "b = 1", "")),
        ("inline tables", format!("a = {}", nested("{ a = ", "1", " }"))),
        ("toml arrays", format!("a = {}", nested("[", "", "]"))),
        ("a number of many digits", format!(r#"{{"a":1{}}}"#, repeated("0", DEPTH))),
        ("a number of a large exponent", r#"{"a":1e999999999999999999999,"exp":-1e-999999999999}"#.into()),
        ("a long key", format!(r#"{{"{}":1}}"#, repeated("k", DEPTH))),
        ("one key many times", format!("{{{}}}", vec![r#""a":{"password":1}"#; 2_000].join(","))),
        ("many keys", format!("{{{}}}", (0..2_000).map(|at| format!(r#""k{at}":{at}"#)).collect::<Vec<_>>().join(","))),
        ("escapes", format!(r#"{{"a":"{}"}}"#, repeated(r"\ud83d\ude00\u0000", 10_000))),
        ("JSON in JSON", (0..10).fold("{}".into(), |inner: String, _| serde_json::json!({ "a": inner }).to_string())),
        ("a long name", repeated("a-", DEPTH)),
        ("stars", [repeated("*a", 2_000), "b".into()].concat()),
        ("expressions", repeated("{+a}", 2_000)),
        ("percent signs", repeated("%25%2F..%2e/", 2_000)),
        ("quotes", repeated("\"'\\", 10_000)),
        ("names of secrets", repeated("password=token:secret ", 2_000)),
        ("angle brackets", repeated("<token>", 2_000)),
        ("words", repeated("word ", 20_000)),
        ("comments", [repeated("/*", DEPTH), repeated("*/", DEPTH)].concat()),
        ("line ends", repeated("\r\n\n\r", 10_000)),
        ("nothing that is seen", repeated("\u{0}\u{feff}\u{202e}", 10_000)),
    ]
}

/// Each input as the last value, and as each of those that stand in a line before it: after so many `lines`.
fn check_all(lines: usize) {
    for (what, text) in extremes() {
        let before: String = ["{}\n", "a\n", "{\"a\":1}\n"].into_iter().take(lines).collect();
        let input = [before.as_bytes(), text.as_bytes(), b"\n", text.as_bytes()].concat();
        for (name, check) in ALL {
            let input = input.clone();
            // Who overflows the stack ends the process, and the thread's name is all that it says.
            let thread = Builder::new()
                .name(format!("{name} with {what}"))
                .stack_size(STACK)
                .spawn(move || check(&input))
                .expect("a thread");
            assert!(thread.join().is_ok(), "`{name}` with {what} after {lines} lines");
        }
    }
}

// Four tests, so that no core waits for another.

#[test]
fn no_input_is_too_much_as_the_first_value() {
    check_all(0);
}

#[test]
fn no_input_is_too_much_as_the_second_value() {
    check_all(1);
}

#[test]
fn no_input_is_too_much_as_the_third_value() {
    check_all(2);
}

#[test]
fn no_input_is_too_much_as_the_fourth_value() {
    check_all(3);
}
