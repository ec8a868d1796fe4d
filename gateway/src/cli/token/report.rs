//! What is in a token, in words: whose it is, what for, how long it lives, and what a gateway may have against it. Verifies
//! nothing and never shows the token itself.
//!
//! Source: RFC 7519; RFC 9068; the Cognito developer guide, "Understanding the access token".

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    cli::screen::{doubtful, duration, padded, plain, printable, strong},
    secret::Secret,
};

/// Clocks may differ so much before it is worth a word.
const SKEW: u64 = 60;

/// A token taken apart.
#[derive(Debug)]
pub(super) struct Report {
    characters: usize,
    /// Header and claims; absent if it is no JWT.
    parts: Option<(Map<String, Value>, Map<String, Value>)>,
    now: Duration,
}

impl Report {
    pub(super) fn of(token: &Secret, now: Duration) -> Self {
        let token = token.expose();
        let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?).ok();
        let parts = match token.split('.').collect::<Vec<_>>()[..] {
            [header, claims, _] => part(header).zip(part(claims)),
            _ => None,
        };
        Self { characters: token.chars().count(), parts, now }
    }

    /// For a person, with a line end.
    pub(super) fn text(&self) -> String {
        let Some((header, claims)) = &self.parts else {
            return format!(
                "{}\n  {} characters, no JWT: only its issuer can say what is in it\n",
                strong("an opaque token"),
                self.characters
            );
        };
        let text = |name: &str| claims.get(name).map(shown);
        let mut rows = vec![("token", format!("eyJ… ({} characters, not shown; `--raw` prints it)", self.characters))];
        let client = text("client_id").or(text("azp")).or(text("cid"));
        let told = [
            ("issuer", text("iss")),
            ("client", client),
            ("user", text("username").or(text("cognito:username")).or(text("preferred_username"))),
            ("subject", text("sub")),
            ("audience", text("aud")),
            ("scopes", text("scope").or(text("scp"))),
            ("issued", self.moment("iat")),
            ("expires", self.moment("exp")),
            ("signed with", Some(signature(header))),
        ];
        rows.extend(told.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let mut lines = vec![strong(self.kind())];
        lines.extend(rows.iter().map(|(name, value)| format!("  {}{value}", padded(name, 13))));
        lines.push(strong("claims"));
        lines.extend(claims.iter().map(|(name, value)| format!("  {}: {}", printable(name), shown(value))));
        lines.extend(self.warnings().iter().map(|warning| format!("{} {warning}", doubtful("warning:"))));
        lines.join("\n") + "\n"
    }

    /// For a program.
    pub(super) fn json(&self) -> Value {
        let (header, claims) = self.parts.clone().unzip();
        json!({
            "kind": self.kind(),
            "characters": self.characters,
            "header": header,
            "claims": claims,
            "expiresAt": self.seconds("exp"),
            "expired": self.seconds("exp").map(|end| end <= self.now.as_secs()),
            "warnings": self.warnings(),
        })
    }

    /// Whether it has expired, and when it does, in words; none if it does not say.
    pub(super) fn end(&self) -> Option<(bool, String)> {
        Some((self.seconds("exp")? <= self.now.as_secs(), self.moment("exp")?))
    }

    fn kind(&self) -> &'static str {
        let word = self.parts.as_ref().and_then(|(_, claims)| claims.get("token_use")?.as_str());
        match (&self.parts, word) {
            (None, _) => "an opaque token",
            (_, Some("access")) => "an access token",
            (_, Some("id")) => "an ID token",
            _ => "a token",
        }
    }

    fn warnings(&self) -> Vec<String> {
        let Some((header, claims)) = &self.parts else { return Vec::new() };
        let now = self.now.as_secs();
        let mut warnings = Vec::new();
        match self.seconds("exp") {
            None => warnings.push("it has no claim `exp`: no gateway takes it".to_owned()),
            Some(end) if end <= now => {
                let since = duration(Duration::from_secs(now - end));
                warnings.push(format!("it expired {since} ago: get a new one"));
            }
            Some(end) if end - now <= SKEW => warnings.push("it expires within a minute".into()),
            Some(_) => (),
        }
        if self.seconds("nbf").is_some_and(|from| from > now + SKEW) {
            warnings.push("it is not valid yet: check this machine's clock".into());
        }
        if self.seconds("iat").is_some_and(|at| at > now + SKEW) {
            warnings.push("it was issued in the future: check this machine's clock".into());
        }
        let is_id = claims.get("token_use").and_then(Value::as_str) == Some("id");
        if is_id {
            warnings.push("it is an ID token, which says who a user is: a gateway takes access tokens".into());
        }
        if !is_id && !claims.contains_key("client_id") {
            warnings.push("it has no claim `client_id`: a gateway with `allowed_clients` refuses it".into());
        }
        if !claims.contains_key("iss") {
            warnings.push("it has no claim `iss`: no gateway takes it".into());
        }
        let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        if algorithm.is_empty() || algorithm == "none" || algorithm.starts_with("HS") {
            warnings.push("it is not signed with a private key: no gateway takes it".into());
        }
        warnings
    }

    fn seconds(&self, name: &str) -> Option<u64> {
        let (_, claims) = self.parts.as_ref()?;
        let value = claims.get(name)?;
        value.as_u64().or_else(|| value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
    }

    /// A point in time as a person says it.
    fn moment(&self, name: &str) -> Option<String> {
        let (at, now) = (self.seconds(name)?, self.now.as_secs());
        let distance = duration(Duration::from_secs(at.abs_diff(now)));
        let words = if at > now { format!("in {distance}") } else { format!("{distance} ago") };
        // A date of which no calendar speaks is no date.
        let date = UNIX_EPOCH.checked_add(Duration::from_secs(at)).filter(|_| at < 253_402_300_800);
        Some(date.map_or(words.clone(), |date| format!("{words} ({})", httpdate::fmt_http_date(date))))
    }
}

fn signature(header: &Map<String, Value>) -> String {
    let text = |name: &str| header.get(name).map(shown);
    let key = text("kid").map(|kid| format!(", key {kid}")).unwrap_or_default();
    text("alg").unwrap_or_else(|| "nothing".into()) + &key
}

/// A claim in one line.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text).replace(['\n', '\t'], " "),
        other => printable(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn report(header: Value, claims: Value) -> Report {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Report::of(&Secret::new(format!("{}.{}.c2ln", part(header), part(claims))), NOW)
    }

    #[test]
    fn a_token_is_told_in_words_and_never_shown() {
        let claims = json!({"iss": "https://issuer.example", "client_id": "c", "username": "alice\u{1b}[31m", "scope": "a b", "token_use": "access", "iat": 1_799_999_990_u64, "exp": 1_800_003_590_u64});
        let report = report(json!({"alg": "RS256", "kid": "k"}), claims);
        console::set_colors_enabled(false);
        insta::assert_snapshot!(report.text(), @"
        an access token
          token        eyJ… (235 characters, not shown; `--raw` prints it)
          issuer       https://issuer.example
          client       c
          user         alice�[31m
          scopes       a b
          issued       10 seconds ago (Fri, 15 Jan 2027 07:59:50 GMT)
          expires      in 59 minutes 50 seconds (Fri, 15 Jan 2027 08:59:50 GMT)
          signed with  RS256, key k
        claims
          iss: https://issuer.example
          client_id: c
          username: alice�[31m
          scope: a b
          token_use: access
          iat: 1799999990
          exp: 1800003590
        ");
        assert_eq!(report.json()["expired"], false);
    }

    #[test]
    fn what_a_gateway_has_against_a_token_is_said() {
        let warnings = |header: Value, claims: Value| report(header, claims).warnings().join("\n");
        let rs256 = || json!({"alg": "RS256"});
        insta::assert_snapshot!(warnings(rs256(), json!({"iss": "i", "exp": 1_799_990_000_u64, "token_use": "id", "aud": "c"})), @"
        it expired 2 hours 46 minutes ago: get a new one
        it is an ID token, which says who a user is: a gateway takes access tokens
        ");
        insta::assert_snapshot!(warnings(json!({"alg": "none"}), json!({"iat": 1_800_001_000_u64})), @"
        it has no claim `exp`: no gateway takes it
        it was issued in the future: check this machine's clock
        it has no claim `client_id`: a gateway with `allowed_clients` refuses it
        it has no claim `iss`: no gateway takes it
        it is not signed with a private key: no gateway takes it
        ");
        let good = json!({"iss": "i", "client_id": "c", "exp": 1_800_003_600_u64});
        assert_eq!(warnings(rs256(), good), "");
        let soon = json!({"iss": "i", "client_id": "c", "exp": 1_800_000_030.5});
        assert_eq!(warnings(rs256(), soon), "it expires within a minute");
        let far = json!({"iss": "i", "client_id": "c", "exp": u64::MAX});
        assert!(report(rs256(), far).text().contains("expires      in "));
    }

    #[test]
    fn what_is_no_jwt_is_left_alone() {
        let report = Report::of(&Secret::new("hunter2"), NOW);
        assert!(report.text().contains("7 characters, no JWT") && !report.text().contains("hunter2"));
        assert_eq!(report.json()["kind"], "an opaque token");
    }
}
