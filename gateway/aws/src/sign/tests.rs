//! Signatures against AWS's published ones, and what a signature does to a request. Python's botocore judges many more in
//! `interop/aws/test_signing.py`.

use http::{HeaderMap, Request, header::HeaderName};

use super::{vectors::VECTORS, *};

const NOW: Duration = Duration::from_secs(1_440_938_160);
const SCOPE: Scope<'static> = Scope { service: "service", region: "us-east-1" };

fn credentials(token: Option<&str>) -> Credentials {
    let (id, secret) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    Credentials::new(id, secret, token.map(str::to_owned), None, "test")
}

fn request(method: &str, url: &str) -> Parts {
    Request::builder().method(method).uri(url).body(()).unwrap().into_parts().0
}

fn signature(headers: &HeaderMap) -> &str {
    headers["authorization"].to_str().unwrap().rsplit_once("Signature=").unwrap().1
}

/// The request after signing it.
fn signed(mut request: Parts, body: &[u8], token: Option<&str>) -> Parts {
    sign(&mut request, body, &credentials(token), SCOPE, NOW).unwrap();
    request
}

#[test]
fn signatures_are_those_that_aws_publishes() {
    for vector in VECTORS {
        let url = format!("https://example.amazonaws.com{}", vector.target);
        let mut request = request(vector.method, &url);
        for (name, value) in vector.headers {
            request.headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let mut settings = settings();
        if vector.hashed {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        sign_with(&mut request, vector.body.as_bytes(), &credentials(vector.token), SCOPE, NOW, settings).unwrap();
        assert_eq!(signature(&request.headers), vector.signature, "{}", vector.name);
    }
    assert_eq!(VECTORS.len(), 29);
}

#[test]
fn a_signature_sets_its_headers_and_hides_the_secret_ones() {
    let request = signed(request("POST", "https://a.example/"), b"{}", Some("TOKEN"));
    assert_eq!(request.headers["x-amz-date"], "20150830T123600Z");
    assert_eq!(
        request.headers["x-amz-content-sha256"],
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    assert!(request.headers["x-amz-security-token"].is_sensitive());
    let authorization = request.headers["authorization"].to_str().unwrap();
    let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                    SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=";
    assert!(authorization.starts_with(expected), "{authorization}");
}

#[test]
fn signing_again_forgets_the_first_signature() {
    let once = signed(request("POST", "https://a.example/p?a=b"), b"1", None);
    let first = signed(request("POST", "https://a.example/p?a=b"), b"2", Some("TOKEN"));
    assert_ne!(signature(&first.headers), signature(&once.headers));
    assert_eq!(signed(first, b"1", None).headers, once.headers);
}

#[test]
fn what_a_hop_may_change_is_not_signed() {
    let plain = signed(request("GET", "https://a.example/"), b"", None);
    let mut changing = request("GET", "https://a.example/");
    for name in ["user-agent", "connection", "traceparent", "authorization"] {
        changing.headers.insert(name, HeaderValue::from_static("x"));
    }
    changing.headers.insert("x-latin", HeaderValue::from_bytes(b"\xe9").unwrap());
    assert_eq!(signature(&signed(changing, b"", None).headers), signature(&plain.headers));
}

#[test]
fn the_host_is_the_one_that_is_sent() {
    let of = |url: &str| signature(&signed(request("GET", url), b"", None).headers).to_owned();
    assert_eq!(of("https://a.example/"), of("https://user@a.example:443/"));
    assert_eq!(of("http://a.example/"), of("http://a.example:80/"));
    assert_ne!(of("http://a.example/"), of("http://a.example:443/"));
    assert_ne!(of("http://a.example/"), of("http://a.example:8080/"));
    let mut named = request("GET", "https://10.0.0.1/");
    named.headers.insert(HOST, HeaderValue::from_static("a.example"));
    assert_eq!(signature(&signed(named, b"", None).headers), of("https://a.example/"));
}

#[test]
fn a_query_is_sent_in_the_form_that_is_signed() {
    let of = |query: &str| signed(request("GET", &format!("https://a.example/p{query}")), b"", None).uri.to_string();
    for (query, expected) in [
        ("", ""),
        ("?", "?"),
        ("?&&", ""),
        ("?flag", "?flag="),
        ("?b=2&a=1&b=1", "?b=2&a=1&b=1"),
        ("?a=x+y&b=x:y/%2f", "?a=x%20y&b=x%3Ay%2F%2F"),
        ("?a=1&&=&a=%C3%A9", "?a=1&=&a=%C3%A9"),
    ] {
        assert_eq!(of(query), format!("https://a.example/p{expected}"), "{query}");
    }
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let refused = |mut request: Parts, token: Option<&str>| {
        sign(&mut request, b"", &credentials(token), SCOPE, NOW).unwrap_err().to_string()
    };
    let no_host = refused(request("GET", "/path"), None);
    assert_eq!(no_host, "the URL of a request to sign has no host: use an absolute URL");
    let not_text = refused(request("GET", "https://a.example/?a=%FF"), None);
    let expected = "the query of a request to sign is not UTF-8 once it is decoded: check its percent-encoding";
    assert_eq!(not_text, expected);
    let too_long = refused(request("GET", &format!("https://a.example/?{}", ":".repeat(30_000))), None);
    assert_eq!(too_long, "the query of a request to sign is too long once it is encoded: send less in it");
    let token = refused(request("GET", "https://a.example/"), Some("line\nbreak"));
    assert!(!token.contains("break"), "{token}");
}
