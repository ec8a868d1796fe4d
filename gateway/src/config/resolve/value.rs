//! Checks that several parts of config.toml share: texts, URLs, scopes, references to secrets. No message repeats the
//! value, since a secret could stand in the wrong place.

use std::{ops::Range, path::PathBuf};

use url::Url;

use super::{
    super::{
        SecretSource,
        environment::{Reference, Unavailable},
        located::{Located, Member},
    },
    Resolver,
};
use crate::secret::Secret;

impl<'a> Resolver<'a> {
    /// A member that must be there.
    pub(super) fn required<'m, T>(
        &mut self,
        table: &Range<usize>,
        name: &str,
        member: &'m Member<T>,
        example: &str,
    ) -> Option<&'m Located<T>> {
        if member.is_none() {
            let key = name.rsplit('.').next().unwrap_or(name);
            self.missing(table, &[key], format!("`{name}` is missing; write `{key} = {example}`"));
        }
        member.as_ref()
    }

    /// Reports that none of `members` is in the table that starts at `table`, unless one of them is there but was taken out.
    pub(super) fn missing(&mut self, table: &Range<usize>, members: &[&str], message: impl Into<String>) {
        if !self.findings.took_out(table, members) {
            self.findings.report(table, message);
        }
    }

    /// A text that is not empty, if it is there.
    pub(super) fn filled<'m>(&mut self, name: &str, member: &'m Member<String>) -> Option<&'m str> {
        let member = member.as_ref()?;
        if member.value.is_empty() {
            self.findings.report(&member.at, format!("`{name}` is empty; write a text"));
        }
        Some(&member.value)
    }

    /// A URL over HTTP without a user, a password or a fragment.
    pub(super) fn url(&mut self, name: &str, member: &Located<String>, example: &str) -> Option<Url> {
        let wrong = match Url::parse(&member.value) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => "is no `https` or `http` URL".into(),
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "holds a user or a password, which do not belong into this file".into()
            }
            Ok(url) if url.fragment().is_some() => "holds a `#` part, which no server sees".into(),
            Ok(url) => return Some(url),
            Err(why) => format!("is no URL ({why})"),
        };
        self.findings.report(&member.at, format!("`{name}` {wrong}; write it like `{example}`"));
        None
    }

    /// The URL of a discovery document, by AgentCore's pattern for `discoveryUrl`:
    /// `[^\s?#]+/\.well-known/(openid-configuration|oauth-authorization-server)(/[^\s?#]+)?`.
    pub(super) fn discovery_url(&mut self, name: &str, member: &Located<String>) -> Option<Url> {
        const EXAMPLE: &str =
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE/.well-known/openid-configuration";
        let url = self.url(name, member, EXAMPLE)?;
        let (_, document) = url.path().split_once("/.well-known/").unwrap_or_default();
        let (document, issuer) = document.split_once('/').unwrap_or((document, "-"));
        let known = matches!(document, "openid-configuration" | "oauth-authorization-server");
        if !known || issuer.is_empty() || url.query().is_some() {
            let message = format!(
                "`{name}` must name a discovery document, `…/.well-known/openid-configuration` or \
                 `…/.well-known/oauth-authorization-server`; write it like `{EXAMPLE}`"
            );
            self.findings.report(&member.at, message);
        }
        Some(url)
    }

    /// Texts that are not empty.
    pub(super) fn texts(&mut self, name: &str, members: &[Located<String>]) -> Vec<String> {
        for member in members.iter().filter(|member| member.value.is_empty()) {
            self.findings.report(&member.at, format!("an entry of `{name}` is empty; write a text or leave it out"));
        }
        members.iter().map(|member| member.value.clone()).collect()
    }

    /// Scopes (RFC 6749, section 3.3): printable ASCII without space, `"` and `\`.
    pub(super) fn scopes(&mut self, name: &str, members: &[Located<String>]) -> Vec<String> {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        for member in members.iter().filter(|member| !member.value.bytes().all(allowed)) {
            let message = format!(
                "an entry of `{name}` is not one scope: a scope has no spaces, quotes or backslashes; write a list such as \
                 `[\"tools/read\", \"tools/invoke\"]`"
            );
            self.findings.report(&member.at, message);
        }
        self.texts(name, members)
    }

    /// A secret by exactly one of three references, `<name>_env`, `<name>_file` and `<name>_arn`; `name` is dotted. Beside the
    /// last may stand `<name>_json_key`.
    pub(super) fn secret_source(
        &mut self,
        table: &Range<usize>,
        name: &str,
        (variable, file): (&Member<String>, &Member<PathBuf>),
        (arn, json_key): (&Member<String>, &Member<String>),
    ) -> Option<SecretSource> {
        let key = name.rsplit('.').next().unwrap_or(name);
        let Some(arn) = arn else {
            if let Some(json_key) = json_key {
                let message = format!("`{name}_json_key` has no effect without `{key}_arn`; leave it out");
                self.findings.report(&json_key.at, message);
            }
            if variable.is_none() && file.is_none() {
                let message = format!(
                    "`{name}_env` is missing; write `{key}_env = \"NAME\"` with a variable of the gateway's environment, \
                     `{key}_file = \"path\"` or `{key}_arn = \"arn:…\"`"
                );
                let keys = ["env", "file", "arn"].map(|kind| format!("{key}_{kind}"));
                self.missing(table, &keys.each_ref().map(String::as_str), message);
                return None;
            }
            return self.secret(table, name, variable, file).map(SecretSource::Here);
        };
        let other = variable.as_ref().map(|_| "env").or(file.as_ref().map(|_| "file"));
        if let Some(other) = other {
            let message =
                format!("`{key}_{other}` and `{key}_arn` both say where the secret is; leave one of them out");
            self.findings.report(&arn.at, message);
        }
        let json_key = self.filled(&format!("{name}_json_key"), json_key).map(str::to_owned);
        let reference = self.secret_arn(&format!("{name}_arn"), arn)?;
        Some(SecretSource::Aws { reference, json_key })
    }

    /// A secret by exactly one of two references, `<name>_env` and `<name>_file`; `name` is dotted.
    pub(super) fn secret(
        &mut self,
        table: &Range<usize>,
        name: &str,
        variable: &Member<String>,
        file: &Member<PathBuf>,
    ) -> Option<Secret> {
        let key = name.rsplit('.').next().unwrap_or(name);
        let (env_key, file_key) = (format!("{key}_env"), format!("{key}_file"));
        match (variable, file) {
            (Some(variable), None) => {
                self.variable(&format!("{name}_env"), variable, &format!(", or write `{file_key} = \"path\"`"))
            }
            (None, Some(file)) => self.secret_file(&format!("{name}_file"), file),
            (Some(_), Some(file)) => {
                let message =
                    format!("`{env_key}` and `{file_key}` both say where the secret is; leave one of them out");
                self.findings.report(&file.at, message);
                None
            }
            (None, None) => {
                let message = format!(
                    "`{name}_env` is missing; write `{env_key} = \"NAME\"` with a variable of the gateway's environment, or \
                     `{file_key} = \"path\"`"
                );
                self.missing(table, &[&env_key, &file_key], message);
                None
            }
        }
    }

    /// The value of the variable that a member names.
    pub(super) fn variable(&mut self, name: &str, member: &Located<String>, or_else: &str) -> Option<Secret> {
        let found = self.environment.referred(Reference::Variable(&member.value));
        let why = match found {
            Ok(value) => return Some(value),
            Err(why) => why,
        };
        let message = if looks_like_a_variable(&member.value) {
            format!("variable `{0}` of `{name}` {why}; set `{0}` where the gateway starts{or_else}", member.value)
        } else {
            format!(
                "`{name}` takes the name of a variable of the gateway's environment, and the variable that stands there \
                 {why}; write a name such as `CALCULATOR_CLIENT_SECRET`, never the value itself{or_else}"
            )
        };
        self.findings.report(&member.at, message);
        None
    }

    fn secret_file(&mut self, name: &str, member: &Located<PathBuf>) -> Option<Secret> {
        let path = self.directory.join(&member.value);
        let why = match self.environment.referred(Reference::File(&path)) {
            Ok(value) => return Some(value),
            Err(Unavailable::Unreadable(why)) => format!("cannot be read: {why}"),
            Err(why) => why.to_string(),
        };
        let message = format!(
            "the file that `{name}` names {why}; write the secret, and nothing else, into a file that the gateway may read"
        );
        self.findings.report(&member.at, message);
        None
    }
}

/// Whether a text may be repeated as the name of a variable. A secret in the wrong place has other letters.
fn looks_like_a_variable(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
        && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
}
