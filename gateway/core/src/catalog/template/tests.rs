//! Templates of RFC 6570 and URIs that clients may have made of them.

use proptest::prelude::*;

use super::*;

fn check(template: &str, uri: &str, expected: bool) {
    let template = UriTemplate::parse(template).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(template.matches(uri), expected, "{template:?} {uri}");
}

/// Expansions that RFC 6570 gives in sections 1.2 and 3.2.
#[test]
fn the_examples_of_the_rfc() {
    for (template, expansions) in [
        ("{var}", &["value"][..]),
        ("{hello}", &["Hello%20World%21"]),
        ("{+hello}", &["Hello%20World!"]),
        ("{+path}/here", &["/foo/bar/here"]),
        ("here?ref={+path}", &["here?ref=/foo/bar"]),
        ("X{#var}", &["X#value", "X"]),
        ("X{#hello}", &["X#Hello%20World!"]),
        ("map?{x,y}", &["map?1024,768", "map?1024", "map?"]),
        ("{+x,hello,y}", &["1024,Hello%20World!,768"]),
        ("{+path,x}/here", &["/foo/bar,1024/here"]),
        ("{#path,x}/here", &["#/foo/bar,1024/here"]),
        ("X{.x,y}", &["X.1024.768", "X.1024", "X"]),
        ("{/var,x}/here", &["/value/1024/here", "/value/here", "/here"]),
        ("{;x,y}", &[";x=1024;y=768", ";y=768", ""]),
        ("{;x,y,empty}", &[";x=1024;y=768;empty"]),
        ("{?x,y}", &["?x=1024&y=768", "?y=768", "?x=1024", ""]),
        ("{?x,y,empty}", &["?x=1024&y=768&empty="]),
        ("?fixed=yes{&x}", &["?fixed=yes&x=1024", "?fixed=yes"]),
        ("{&x,y,empty}", &["&x=1024&y=768&empty="]),
        ("{var:3}", &["val"]),
        ("{list}", &["red,green,blue"]),
        ("{list*}", &["red,green,blue"]),
        ("{keys*}", &["semi=%3B,dot=.,comma=%2C"]),
        ("{+path:6}/here", &["/foo/b/here"]),
        ("X{.list*}", &["X.red.green.blue"]),
        ("{/var:1,var}", &["/v/value"]),
        ("{/list*,path:4}", &["/red/green/blue/%2Ffoo"]),
        ("{;list*}", &[";list=red;list=green;list=blue"]),
        ("{?list*}", &["?list=red&list=green&list=blue"]),
        ("{?keys*}", &["?semi=%3B&dot=.&comma=%2C"]),
        ("{&keys*}", &["&semi=%3B&dot=.&comma=%2C"]),
    ] {
        expansions.iter().for_each(|uri| check(template, uri, true));
    }
}

#[test]
fn what_no_expansion_gives_does_not_match() {
    for (template, uris) in [
        ("file:///{path}", &["file:///a/b", "file:///a?b", "file:///a:b", "http:///a", "file://"][..]),
        ("test://{id}/data", &["test://1/2/data", "test://1/date", "test://1/data/", "est://1/data"]),
        ("{?x,y}", &["?y=1&x=2", "?x", "?z=1", "x=1", "?x=1&y=2&x=3", "?x=1/2"]),
        ("a{&x}", &["a?x=1"]),
        ("{;x}", &[";xy", ";y"]),
        ("{var:3}", &["valu"]),
        ("{+x:3}", &["%C3%A9aaa"]),
        ("X{.x}", &["X/1", "Xy"]),
        ("fixed", &["fixed2", "fixe", ""]),
    ] {
        uris.iter().for_each(|uri| check(template, uri, false));
    }
}

#[test]
fn letters_that_no_uri_holds_count_as_encoded() {
    check("note://{title}", "note://ein schöner Tag", true);
    check("note://ö/{title}", "note://%c3%b6/x", true);
    check("note://ö/{title}", "note://ö/x", true);
    check("{a:1}", "é", true);
    check("{a}", "50%", true);
}

#[test]
fn what_is_no_template_is_refused() {
    for text in ["{", "a}", "{}", "{=a}", "{|a}", "{a:0}", "{a:10000}", "{a:x}", "{a:3*}", "{a,}", "{{a}}", "{+}"] {
        assert_eq!(UriTemplate::parse(text), Err(BadTemplate(text.into())));
    }
}

#[test]
fn a_hostile_pair_is_matched_in_no_time() {
    let template = UriTemplate::parse(&"{+a}{+b}x".repeat(200)).unwrap();
    assert!(!template.matches(&"x".repeat(199)));
    assert!(template.matches(&"x".repeat(4000)));
    assert!(!UriTemplate::parse("{a}").unwrap().matches(&"x".repeat(MOST + 1)));
}

/// `text` as RFC 6570, section 3.2.1 puts it into an expansion.
fn encoded(text: &str, reserved: bool) -> String {
    let as_it_is = |byte: &u8| is_unreserved(*byte) || (reserved && is_reserved(*byte));
    let byte = |byte: u8| if as_it_is(&byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}

/// The expansion of one expression by the algorithm of RFC 6570, section 3.2.1; a variable without a value is undefined.
fn expanded(operator: &str, values: &[(String, Option<String>)]) -> String {
    let (first, separator, named, if_empty, reserved) = match operator {
        "+" => ("", ",", false, "", true),
        "#" => ("#", ",", false, "", true),
        "." => (".", ".", false, "", false),
        "/" => ("/", "/", false, "", false),
        ";" => (";", ";", true, "", false),
        "?" => ("?", "&", true, "=", false),
        "&" => ("&", "&", true, "=", false),
        _ => ("", ",", false, "", false),
    };
    let there = values.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let items: Vec<String> = there
        .map(|(name, value)| match (named, value.is_empty()) {
            (false, _) => encoded(value, reserved),
            (true, true) => format!("{name}{if_empty}"),
            (true, false) => format!("{name}={}", encoded(value, reserved)),
        })
        .collect();
    if items.is_empty() { String::new() } else { [first, &items.join(separator)].concat() }
}

proptest! {
    /// What a client makes of a template is found again.
    #[test]
    fn an_expansion_matches(
        literals in proptest::collection::vec("[a-z:/é]{0,5}", 4),
        expressions in proptest::collection::vec(
            ("[+#./;?&]?", proptest::collection::vec(("[a-z]{1,3}", proptest::option::of(".{0,6}")), 1..4)),
            0..4,
        ),
    ) {
        let (mut template, mut uri) = (String::new(), String::new());
        for (literal, (operator, values)) in literals.iter().zip(&expressions) {
            let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
            template.push_str(&format!("{literal}{{{operator}{}}}", names.join(",")));
            uri.push_str(&encoded(literal, true));
            uri.push_str(&expanded(operator, values));
        }
        prop_assert!(UriTemplate::parse(&template).unwrap().matches(&uri), "{} {}", template, uri);
    }

    #[test]
    fn any_text_is_read_or_refused(template in ".{0,30}", uri in ".{0,30}") {
        if let Ok(template) = UriTemplate::parse(&template) {
            template.matches(&uri);
        }
    }
}
