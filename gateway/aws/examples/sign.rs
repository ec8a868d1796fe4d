//! Signs requests that a foreign judge makes up: one JSON object a line on standard input, the signed request on standard
//! output. Sends nothing. `interop/aws/test_signing.py` compares the signatures with botocore's.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use causeway_aws::{
    Credentials,
    sign::{Scope, sign},
};
use http::{HeaderName, HeaderValue, Request};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Wanted {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    /// Base64.
    body: String,
    access_key: String,
    secret_key: String,
    token: Option<String>,
    service: String,
    region: String,
    /// Seconds since the Unix epoch.
    now: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let signed = signed(serde_json::from_str(&line?)?)?;
        writeln!(out, "{signed}")?;
        out.flush()?;
    }
    Ok(())
}

fn signed(wanted: Wanted) -> Result<Value, Box<dyn Error>> {
    let mut request = Request::builder().method(wanted.method.as_str()).uri(&wanted.url).body(())?.into_parts().0;
    for (name, value) in &wanted.headers {
        request.headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    let credentials = Credentials::new(wanted.access_key, wanted.secret_key, wanted.token, None, "example");
    let scope = Scope { service: &wanted.service, region: &wanted.region };
    let body = STANDARD.decode(wanted.body)?;
    sign(&mut request, &body, &credentials, scope, Duration::from_secs(wanted.now))?;
    let headers = request.headers.iter().map(|(name, value)| Ok((name.as_str(), value.to_str()?)));
    let headers: Vec<_> = headers.collect::<Result<_, Box<dyn Error>>>()?;
    Ok(json!({"url": request.uri.to_string(), "headers": headers}))
}
