//! Schemas, arguments and headers side by side.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A tool with every kind of header parameter.
fn tool() -> HeaderParams {
    params(json!({
        "region": { "type": "string", "x-mcp-header": "Region" },
        "attempt": { "type": "integer", "x-mcp-header": "Attempt" },
        "dry": { "type": "boolean", "x-mcp-header": "Dry" },
        "place": { "properties": { "a.b": { "type": ["string", "null"], "x-mcp-header": "Deep" } } },
        "note": { "type": "string" },
    }))
}

fn params(properties: Value) -> HeaderParams {
    HeaderParams::of_schema(&json!({ "type": "object", "properties": properties }).to_string()).unwrap()
}

/// Header lines as a front has them.
fn lines<'h>(given: &'h [(&str, &[u8])]) -> impl Fn(&str) -> Vec<&'h [u8]> {
    move |name| given.iter().filter(|(given, _)| *given == name).map(|(_, value)| *value).collect()
}

fn check_headers(arguments: &str, expected: &[(&str, &str)]) {
    let headers = tool().headers(arguments);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, expected, "{arguments}");
}

fn check_agree(arguments: &str, given: &[(&str, &[u8])]) {
    assert_eq!(tool().check(arguments, lines(given)), Ok(()), "{arguments}");
}

fn mismatch(arguments: &str, given: &[(&str, &[u8])]) -> String {
    tool().check(arguments, lines(given)).expect_err(arguments).to_string()
}

fn check_invalid(properties: Value, why: &str) {
    let schema = json!({ "type": "object", "properties": properties }).to_string();
    let invalid = HeaderParams::of_schema(&schema).expect_err(&schema);
    assert_eq!(invalid.to_string(), why);
}

#[test]
fn values_are_found_at_their_path_and_written() {
    check_headers(
        r#"{"region":"eu","attempt":4.20e1,"dry":false,"place":{"a.b":" x "},"note":"n"}"#,
        &[
            ("mcp-param-region", "eu"),
            ("mcp-param-attempt", "42"),
            ("mcp-param-dry", "false"),
            ("mcp-param-deep", "=?base64?IHgg?="),
        ],
    );
    check_headers(r#"{"r\u0065gion":"\u00e9","place":{}}"#, &[("mcp-param-region", "=?base64?w6k=?=")]);
    check_headers(r#"{"region":""}"#, &[("mcp-param-region", "")]);
    check_headers(r#"{"region":null,"place":{"a.b":null},"a.b":"x"}"#, &[]);
    check_headers(r#"{"region":["eu"],"attempt":{},"place":"a.b"}"#, &[]);
    check_headers(
        r#"{"region":7,"attempt":"7","dry":1e99}"#,
        &[("mcp-param-region", "7"), ("mcp-param-attempt", "7"), ("mcp-param-dry", "1e99")],
    );
    for nothing in ["{}", "null", "[]", "7", ""] {
        check_headers(nothing, &[]);
        check_agree(nothing, &[("mcp-param-other", b"\xff")]);
    }
}

#[test]
fn headers_agree_by_what_they_stand_for() {
    check_agree(r#"{"region":"eu"}"#, &[("mcp-param-region", b"eu")]);
    check_agree(r#"{"region":"eu"}"#, &[("mcp-param-region", b" =?base64?ZXU=?=\t")]);
    check_agree(r#"{"region":"=?base64?ZXU="}"#, &[("mcp-param-region", b"=?base64?ZXU=")]);
    check_agree(r#"{"region":""}"#, &[("mcp-param-region", b"")]);
    check_agree(r#"{"attempt":42}"#, &[("mcp-param-attempt", b"42.0")]);
    check_agree(r#"{"attempt":42.0}"#, &[("mcp-param-attempt", b"42")]);
    check_agree(
        r#"{"attempt":42,"dry":true}"#,
        &[("mcp-param-attempt", b"=?base64?NDIuMA==?="), ("mcp-param-dry", b"true")],
    );
    check_agree(r#"{"region":null,"attempt":[]}"#, &[]);
}

#[test]
fn what_does_not_agree_is_named_without_its_value() {
    let region = r#"{"region":"secret"}"#;
    insta::assert_snapshot!(mismatch(region, &[]), @"`mcp-param-region` is missing: the body has a value at `region`");
    insta::assert_snapshot!(mismatch(region, &[("mcp-param-region", b"Secret")]), @"`mcp-param-region` and the body's `region` differ");
    insta::assert_snapshot!(mismatch(r#"{"region":"42"}"#, &[("mcp-param-region", b"42.0")]), @"`mcp-param-region` and the body's `region` differ");
    insta::assert_snapshot!(mismatch(r#"{"region":null}"#, &[("mcp-param-region", b"null")]), @"`mcp-param-region` is there, but the body has no value at `region`");
    insta::assert_snapshot!(mismatch("{}", &[("mcp-param-deep", b"")]), @"`mcp-param-deep` is there, but the body has no value at `place.a.b`");
    insta::assert_snapshot!(mismatch(region, &[("mcp-param-region", b"secret"), ("mcp-param-region", b"x")]), @"`mcp-param-region` stands more than once");
    for bytes in [&b"sec\xc3\xa9t"[..], b"a\x00", b"a\x7f"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(mismatch(region, &[("mcp-param-region", bytes)]), @"`mcp-param-region` holds bytes that no header value may hold");
        }
    }
    for bytes in [&b"=?base64?SGVsbG8?="[..], b"=?base64?SGVs!!!bG8=?=", b"=?base64?/w==?="] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(mismatch(r#"{"region":"Hello"}"#, &[("mcp-param-region", bytes)]), @"`mcp-param-region` holds broken Base64");
        }
    }
    let twice = r#"{"region":"a","region":"b"}"#;
    insta::assert_snapshot!(mismatch(twice, &[("mcp-param-region", b"b")]), @"`region`, which `mcp-param-region` repeats, stands twice in the body");
}

#[test]
fn tools_without_annotations_have_no_header_parameters() {
    for schema in [
        r#"{"type":"object"}"#,
        "true",
        "null",
        "nonsense",
        r#"{"properties":{"x-mcp-header":{"type":"string"}}}"#,
        r#"{"properties":{"a":{"default":{"x-mcp-header":"A"},"const":{"x-mcp-header":"A"},"enum":[{"x-mcp-header":7}]}}}"#,
        r#"{"examples":[{"x-mcp-header":"A"}],"description":"\u0000 x-mcp-header"}"#,
    ] {
        assert!(HeaderParams::of_schema(schema).is_ok_and(|params| params.is_empty()), "{schema}");
    }
    assert!(
        !HeaderParams::of_schema(r#"{"properties":{"a":{"type":"integer","x-mcp-\u0068eader":"A"}}}"#)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn names_must_be_those_of_headers_and_differ() {
    let named = |name: Value| json!({ "v": { "type": "string", "x-mcp-header": name } });
    check_invalid(named(json!(7)), "`properties/v/x-mcp-header` must be a text");
    check_invalid(named(json!(null)), "`properties/v/x-mcp-header` must be a text");
    for name in ["", "My Region", "Region:Primary", "Région", "Region\t1", "a\r\nb"] {
        let why = "which is no name of a header: use letters, digits and hyphens";
        check_invalid(named(json!(name)), &format!("`properties/v/x-mcp-header` is {name:?}, {why}"));
    }
    let field = |name| json!({ "type": "string", "x-mcp-header": name });
    for other in ["MyField", "myfield"] {
        let why = format!("`properties/b/x-mcp-header` asks for a header `{other}` that another parameter has already");
        check_invalid(json!({ "a": field("MyField"), "b": field(other) }), &why);
    }
    assert!(!params(named(json!("!#$%&'*+-.^_`|~09"))).is_empty());
}

#[test]
fn only_primitive_parameters_travel_as_headers() {
    for types in [
        json!("object"),
        json!("array"),
        json!("null"),
        json!("number"),
        json!(["string", "integer"]),
        json!(["null"]),
        json!([]),
        json!(7),
    ] {
        check_invalid(
            json!({ "v": { "type": types, "x-mcp-header": "V" } }),
            "`properties/v/x-mcp-header` stands at a parameter whose `type` is neither `string` nor `integer` nor `boolean`",
        );
    }
    check_invalid(
        json!({ "v": { "$ref": "#/$defs/v", "x-mcp-header": "V" } }),
        "`properties/v/x-mcp-header` stands at a parameter whose `type` is neither `string` nor `integer` nor `boolean`",
    );
}

#[test]
fn annotations_must_be_reached_by_properties_alone() {
    let annotated = json!({ "type": "string", "x-mcp-header": "V" });
    let inner = json!({ "properties": { "v": annotated } });
    for schema in [
        json!({ "x-mcp-header": "V", "type": "string" }),
        json!({ "items": annotated }),
        json!({ "prefixItems": [annotated] }),
        json!({ "additionalProperties": annotated }),
        json!({ "patternProperties": { "properties": annotated } }),
        json!({ "$defs": { "default": annotated } }),
        json!({ "definitions": { "v": inner } }),
        json!({ "allOf": [inner] }),
        json!({ "anyOf": [{ "type": "null" }, inner] }),
        json!({ "not": inner }),
        json!({ "then": inner }),
        json!({ "properties": { "a": { "oneOf": [inner] } } }),
        json!({ "properties": { "a": { "items": inner } } }),
        json!({ "dependentSchemas": { "a": inner } }),
    ] {
        let invalid = HeaderParams::of_schema(&schema.to_string()).expect_err(&schema.to_string());
        assert!(matches!(invalid, BadAnnotation::Unreachable(_)), "{schema}: {invalid}");
    }
    let invalid = HeaderParams::of_schema(&json!({ "items": annotated }).to_string()).unwrap_err();
    insta::assert_snapshot!(invalid, @"`items/x-mcp-header` does not stand at a parameter that is reached from the root by `properties` alone");
    let deep = format!("{}{}", r#"{"x-mcp-header":"#.repeat(500), "}".repeat(500));
    assert!(matches!(HeaderParams::of_schema(&deep), Err(BadAnnotation::Unreadable(_))));
}

fn argument() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,12}".prop_map(Value::from),
        Just(json!("=?base64?eA==?=")),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([1])),
    ]
}

proptest! {
    /// What is written for arguments always agrees with them, is fit for a header, and does not agree once it is lost.
    #[test]
    fn what_is_written_passes_the_check(
        region in argument(), attempt in argument(), dry in argument(), deep in argument(), drop in any::<prop::sample::Index>()
    ) {
        let arguments = json!({ "region": region, "attempt": attempt, "dry": dry, "place": { "a.b": deep } }).to_string();
        let mut headers = tool().headers(&arguments);
        let agrees = |headers: &[(String, String)]| {
            let given: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            tool().check(&arguments, lines(&given))
        };
        prop_assert_eq!(agrees(&headers), Ok(()));
        prop_assert!(headers.iter().all(|(_, value)| value.is_ascii() && !value.bytes().any(|byte| byte < b' ' && byte != b'\t')));
        if !headers.is_empty() {
            headers.remove(drop.index(headers.len()));
            let lost = matches!(agrees(&headers), Err(Mismatch::Missing { .. }));
            prop_assert!(lost);
        }
    }

    #[test]
    fn any_schema_is_read_or_refused(schema in ".{0,40}", name in ".{0,5}") {
        let _ = HeaderParams::of_schema(&schema);
        let schema = json!({ "properties": { "v": { "type": "string", "x-mcp-header": name } } }).to_string();
        let valid = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte));
        prop_assert_eq!(HeaderParams::of_schema(&schema).is_ok(), valid);
    }
}
