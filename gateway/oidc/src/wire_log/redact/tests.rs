//! Secrets in every place and spelling that an exchange may have for them.

use reqwest::header::HeaderValue;
use serde_json::json;

use super::*;

/// In the place of a secret; a JWT has the looks of one.
const HUNTER2: &str = "hunter2hunter2";
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";

fn safe(shown: &str) {
    for secret in [HUNTER2, JWT, "eyJzdWIi", "c2lnbmF0dXJl"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn headers_show_who_but_not_with_what() {
    let mut map = HeaderMap::new();
    let mut add = |name: &'static str, value: &str| {
        map.append(name, value.parse().unwrap());
    };
    add("authorization", &format!("Bearer {JWT}"));
    add("authorization", &format!("Basic {HUNTER2}"));
    add("authorization", HUNTER2);
    add(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=hunter2hunter2",
    );
    add("proxy-authorization", &format!("Basic {HUNTER2}"));
    add("cookie", &format!("a={HUNTER2}; b={HUNTER2}"));
    add("set-cookie", &format!("session={HUNTER2}; HttpOnly"));
    add("x-amz-security-token", HUNTER2);
    add("x-api-key", HUNTER2);
    add("x-vendor-Secret-thing", HUNTER2);
    add("mcp-session-id", "1234567890abcdef");
    add("mcp-session-id", "12345678");
    add(
        "location",
        &format!("https://user:{HUNTER2}@issuer.example/callback?code={HUNTER2}&scope=a#access_token={HUNTER2}"),
    );
    add("www-authenticate", r#"Bearer error="invalid_token", resource_metadata="https://a.example/m""#);
    add("x-note", &format!("token {JWT} and Bearer {HUNTER2}"));
    let mut sensitive = HeaderValue::from_static(HUNTER2);
    sensitive.set_sensitive(true);
    map.insert("x-anything", sensitive);
    let shown = headers(&map);
    safe(&shown);
    insta_like(
        &shown,
        "
    authorization: Bearer <redacted>
    authorization: Basic <redacted>
    authorization: <redacted>
    authorization: AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=<redacted>
    proxy-authorization: Basic <redacted>
    cookie: <redacted>
    set-cookie: <redacted>
    x-amz-security-token: <redacted>
    x-api-key: <redacted>
    x-vendor-secret-thing: <redacted>
    mcp-session-id: 12345678…
    mcp-session-id: <redacted>
    location: https://issuer.example/callback?code=<redacted>&scope=a
    www-authenticate: Bearer error=\"invalid_token\", resource_metadata=\"https://a.example/m\"
    x-note: token eyJ… and Bearer <redacted>
    x-anything: <redacted>",
    );
}

fn insta_like(shown: &str, expected: &str) {
    for line in expected.lines() {
        assert!(shown.lines().any(|other| other == line), "`{line}` is not in\n{shown}");
    }
    assert_eq!(shown.lines().count(), expected.lines().count(), "{shown}");
}

#[test]
fn urls_show_what_is_known_to_be_harmless() {
    let check = |text: &str, expected: &str| assert_eq!(url(text), expected);
    check("https://a.example/mcp", "https://a.example/mcp");
    check(
        "https://u:p@a.example/mcp?key=1&qualifier=DEFAULT",
        "https://a.example/mcp?key=<redacted>&qualifier=DEFAULT",
    );
    check(
        "https://sts.amazonaws.com/?Action=GetCallerIdentity&X-Amz-Signature=abc&X-Amz-Security-Token=x&X-Amz-Credential=AKID%2F1",
        "https://sts.amazonaws.com/?Action=GetCallerIdentity&X-Amz-Signature=<redacted>&X-Amz-Security-Token=<redacted>&X-Amz-Credential=AKID/1",
    );
    check(
        "https://a.example/?redirect_uri=https%3A%2F%2Fb.example%2F%3Faccess_token%3Dhunter2hunter2",
        "https://a.example/?redirect_uri=https://b.example/?access_token=<redacted>",
    );
    safe(&url(&format!("https://a.example/{JWT}/mcp?client%5Fsecret={HUNTER2}")));
    safe(&url(&format!("no URL but token={HUNTER2}")));
}

#[test]
fn bodies_keep_their_shape() {
    let shown = body("application/json", json!({
        "access_token": HUNTER2, "refreshToken": HUNTER2, "ID-TOKEN": JWT, "token_type": "Bearer", "expires_in": 3600,
        "client_secret": {"nested": HUNTER2}, "passwords": [HUNTER2], "pin": 1234, "max_tokens": 5, "secret": null,
        "jsonrpc": "2.0", "params": {"_meta": {"progressToken": "call"}, "arguments": {"text": "plain"}},
        "SAMLResponse": HUNTER2, "SecretString": HUNTER2, "Credentials": {"SecretAccessKey": HUNTER2, "SessionToken": HUNTER2},
        "AuthParameters": {"USERNAME": "alice", "PASSWORD": HUNTER2, "SECRET_HASH": HUNTER2}, "code": HUNTER2,
        "token_endpoint": "https://a.example/t", "AccessKeyId": "AKID", "Parameter": {"Type": "SecureString", "Value": HUNTER2},
        "content": [{"type": "text", "text": format!("{{\"password\": \"{HUNTER2}\", \"deep\": \"{{\\\"token\\\":\\\"{HUNTER2}\\\"}}\"}}")}],
        "log": format!("line one\npassword={HUNTER2} user=alice\nAuthorization: Bearer {HUNTER2}\nurl https://a.example/?x-amz-signature={HUNTER2}&b=1"),
    }).to_string().as_bytes());
    safe(&shown);
    for kept in [
        "\"token_type\": \"Bearer\"",
        "3600",
        "\"max_tokens\": 5",
        "\"progressToken\": \"call\"",
        "\"plain\"",
        "alice",
        "https://a.example/t",
        "AKID",
        "user=alice",
        "&b=1",
        "\"secret\": null",
    ] {
        assert!(shown.contains(kept), "{kept} is not in\n{shown}");
    }
    let error = body(
        "application/json",
        br#"{"error":{"code":-32602,"message":"bad"},"code":"ValidationException","message":"no"}"#,
    );
    assert!(error.contains("-32602") && error.contains("ValidationException"), "{error}");
}

#[test]
fn other_bodies_are_no_better_places() {
    safe(&body("application/x-www-form-urlencoded", format!("grant_type=authorization_code&code={HUNTER2}&code_verifier={HUNTER2}&client_secret={HUNTER2}&SAMLResponse={HUNTER2}&client%5fassertion={HUNTER2}").as_bytes()));
    let form_body = body("application/x-www-form-urlencoded", b"grant_type=client_credentials&scope=a%20b");
    assert_eq!(form_body.trim(), "grant_type=client_credentials&scope=a b");
    // Not whole, and so no JSON.
    safe(&body("application/json", format!(r#"{{"a":1,"access_token": "{HUNTER2}","b"#).as_bytes()));
    safe(&body("application/json", format!(r#"{{"a":"{{\"api_key\":\"{HUNTER2}\""#).as_bytes()));
    safe(&body("application/json", format!(r#"{{"password":"a\"b {HUNTER2}","c"#).as_bytes()));
    safe(&body("text/plain", format!("authorization: Digest username=\"a\", response=\"{HUNTER2}\"").as_bytes()));
    safe(&body("text/plain", format!("{{'token': '{HUNTER2}'}} api-key = {HUNTER2}").as_bytes()));
    safe(&body("text/event-stream", format!("event: message\ndata: {{\"token\":\"{HUNTER2}\"}}\n\n").as_bytes()));
    safe(&body(
        "text/html",
        format!("<input name=x value={JWT}> <a href='?token={HUNTER2}'>password: {HUNTER2}</a>").as_bytes(),
    ));
    safe(&body("text/plain", format!("-----BEGIN PRIVATE KEY-----{HUNTER2}").as_bytes()));
    safe(&text(&format!("100%password={HUNTER2} %26access_token={HUNTER2} %accessKey={HUNTER2}")));
    safe(&body("application/json", format!("\"{JWT}\"").as_bytes()));
    safe(&body("application/json", r#"{"pass\u0077ord":"hunter2hunter2"}"#.as_bytes()));
    assert_eq!(body("image/png", &[0xff, 0xfe]), "\n\n    (2 bytes)");
    assert_eq!(body("", b""), "");
}

#[test]
fn a_private_key_is_more_than_its_first_line() {
    for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
        let pem = format!("-----BEGIN {kind}-----\n{HUNTER2}\n{HUNTER2}\n-----END {kind}-----\n");
        let cut = format!("-----BEGIN {kind}-----\n{HUNTER2}");
        for text_with in [format!("before\n{pem}after"), format!("after {cut}")] {
            let plain_body = body("text/plain", text_with.as_bytes());
            let in_json = body("application/json", json!({"content": [{"text": text_with}]}).to_string().as_bytes());
            for shown in [plain_body, in_json, text(&text_with)] {
                safe(&shown);
                assert!(shown.contains("after"), "{shown}");
            }
        }
    }
    let public = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    assert!(body("text/plain", public.as_bytes()).contains("MIIB"));
}

#[test]
fn a_secret_may_stand_below_its_name() {
    let yaml = format!("a: 1\npassword: |\n  {HUNTER2}\n\n  {HUNTER2}\nb: 2\n");
    let shown = body("text/plain", yaml.as_bytes());
    safe(&shown);
    assert!(shown.contains("a: 1") && shown.contains("b: 2"), "{shown}");
    safe(&body("application/json", format!("{{\"password\":\r\n\"{HUNTER2}\",").as_bytes()));
    safe(&body("application/json", json!({"text": format!("client_secret =\n{HUNTER2}")}).to_string().as_bytes()));
}

#[test]
fn elements_of_xml_are_members_too() {
    let sts = format!(
        "<AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>{HUNTER2}</SecretAccessKey>\
         <SessionToken>{HUNTER2}</SessionToken></Credentials><Arn>a</Arn></AssumeRoleResult>"
    );
    let shown = body("text/xml", sts.as_bytes());
    safe(&shown);
    assert!(shown.contains("<AccessKeyId>ASIA<") && shown.contains("<Arn>a<"), "{shown}");
    safe(&text(&format!("<ns:Password kind=\"text\">{HUNTER2}</ns:Password>")));
    assert_eq!(text("<b>a token</b> <token/>"), "<b>a token</b> <token/>");
}

#[test]
fn urls_within_texts_are_urls() {
    safe(&text(&format!("postgres://alice:{HUNTER2}@db.example/x and https://{HUNTER2}@github.com/")));
    assert_eq!(text("see https://a.example/@alice"), "see https://a.example/@alice");
    let nested = format!("next=https%3A%2F%2Fb%2F%3Fa%3D1%26code%3D{HUNTER2}%26sig%3d{HUNTER2} token%253D{HUNTER2}");
    safe(&text(&nested));
    safe(&url(&format!("https://a.example/?redirect_uri=https%253A%252F%252Fb%252F%253Faccess_token%253D{HUNTER2}")));
}

#[test]
fn pairs_of_names_and_values() {
    let shown = body("application/json", json!({
        "env": [{"name": "DB_PASSWORD", "value": HUNTER2}, {"name": "REGION", "value": "eu"}, {"Key": "api-key", "Value": HUNTER2}],
        "args": ["serve", "--password", HUNTER2, "--port", "80"],
        "required": ["token", "name"],
    }).to_string().as_bytes());
    safe(&shown);
    for kept in ["DB_PASSWORD", "\"eu\"", "\"80\"", "\"name\""] {
        assert!(shown.contains(kept), "{kept} is not in\n{shown}");
    }
    safe(&text(&format!("Cookie: a={HUNTER2}; b={HUNTER2}")));
    safe(&text(&format!("AccountName=a;AccountKey={HUNTER2}==;EndpointSuffix=b")));
    safe(&body("application/json", json!({"SMS_MFA_CODE": HUNTER2}).to_string().as_bytes()));
    let mut map = HeaderMap::new();
    map.insert("ocp-apim-subscription-key", HUNTER2.parse().unwrap());
    map.insert("x-auth-key", HUNTER2.parse().unwrap());
    safe(&headers(&map));
}

#[test]
fn tokens_are_known_by_their_looks() {
    for token in [
        "ghp_0123456789abcdef0123",
        "github_pat_0123456789abcdef",
        "sk-proj-0123456789abcdef",
        "glpat-0123456789abcdef",
    ] {
        let shown = body("application/json", json!({"text": format!("it is {token}.")}).to_string().as_bytes());
        assert!(!shown.contains("0123456789abcdef"), "{shown}");
    }
    // Base64 of a JSON object that is no JWT has signs that words do not have.
    assert_eq!(text("eyJhIjoiYiIsImMiOiJk+abc/def== end"), "eyJ… end");
    assert_eq!(text("sk-learn"), "sk-learn");
}

#[test]
fn what_is_long_is_cut_and_what_steers_is_not_shown() {
    let shown = body("application/json", json!({"image": "x".repeat(5_000)}).to_string().as_bytes());
    assert!(shown.contains("x… (5000 characters)") && shown.len() < 400, "{shown}");
    let shown = body("text/plain", "é".repeat(20_000).as_bytes());
    assert!(shown.ends_with("… (12000 characters more)"), "{}", shown.len());
    assert!(!body("text/plain", b"a\x1b[31mb\r\nc").contains('\x1b'));
    assert!(!text("a\u{1b}]0;title\u{7}").contains('\u{1b}'));
    // JSON escapes only what is below a space.
    assert!(!body("application/json", "{\"a\u{7f}\": 1, \"\u{9b}31m\": 2}".as_bytes()).contains(['\u{7f}', '\u{9b}']));
    // White space to Rust, and control characters to a terminal.
    assert!(!body("text/plain", "password:\n \u{c}\u{85}hunter2".as_bytes()).contains(['\u{c}', '\u{85}']));
    let large = format!("{{\"a\":\"{}\",\"token\":\"{HUNTER2}\"}}", "y".repeat(5 << 20));
    safe(&body("application/json", large.as_bytes()));
}

#[test]
fn prose_stays_readable() {
    for prose in [
        "Missing or invalid Bearer token",
        "error code: 42",
        "the token expired 5s ago",
        "a=1&b=2",
        "Basic auth",
        r#"{"tool":"secrets","n":1}"#,
    ] {
        assert_eq!(text(prose), prose);
    }
}
