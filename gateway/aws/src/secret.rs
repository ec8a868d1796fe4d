//! The value of a secret that AWS keeps: a Secrets Manager secret or an SSM parameter, whole or one member of its JSON.
//! Reads it each time; whoever wants to keep it uses [`causeway_oidc::kept`].
//!
//! Source: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    arn::{Arn, ArnError},
    call::{Aws, CallError},
    endpoint::Service,
};

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    store: Store,
    /// A name or a whole ARN, as the store takes both.
    id: String,
    /// The ARN's; the identity's own for a name.
    region: Option<String>,
}

/// Who keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Store {
    SecretsManager,
    /// Systems Manager's Parameter Store.
    Parameters,
}

/// The value of a secret. Not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

/// A text is no ARN of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error(transparent)]
    Arn(#[from] ArnError),
    #[error(
        "`{0}` is no ARN of a secret: expected `arn:aws:secretsmanager:region:account:secret:name` or \
         `arn:aws:ssm:region:account:parameter/name`"
    )]
    Kind(Arn),
    #[error("`{0}` has no region: take the whole ARN")]
    Region(Arn),
}

/// A secret cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the secret `{reference}` cannot be read: {cause}")]
pub struct SecretError {
    /// Its ARN or name.
    pub reference: String,
    pub cause: Cause,
}

/// Why. No text of it holds anything of the value.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Cause {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("it has no value yet")]
    Empty,
    #[error("it holds bytes that are not UTF-8 text")]
    NotText,
    #[error("it is no JSON object, but its member `{0}` is asked for: leave the key out to take the whole text")]
    NotJson(String),
    #[error("it has no member `{0}` that is a text: check the key")]
    NoMember(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<SecretText>,
    /// Base64.
    secret_binary: Option<SecretText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterValue {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: SecretText,
}

impl Reference {
    /// A secret of Secrets Manager, by name or ARN.
    pub fn secret(id: &str) -> Self {
        Self::named(Store::SecretsManager, id)
    }

    /// A parameter of SSM's Parameter Store, by name or ARN.
    pub fn parameter(id: &str) -> Self {
        Self::named(Store::Parameters, id)
    }

    /// Whatever `id` is, it goes to this store, which says what is wrong with it.
    fn named(store: Store, id: &str) -> Self {
        let region = id.parse::<Arn>().ok().and_then(|arn| arn.region().map(str::to_owned));
        Self { store, id: id.to_owned(), region }
    }

    /// Reads it: the member `json_key` of the JSON object that it is, or the whole text without the line ends behind it, which
    /// editors put there and nobody means.
    ///
    /// # Errors
    /// [`SecretError`] names the secret, and AWS's code if AWS refused.
    pub async fn read(&self, aws: &Aws, json_key: Option<&str>) -> Result<SecretText, SecretError> {
        let read = async {
            let whole = self.whole(aws).await?;
            match json_key {
                Some(key) => whole.member(key),
                None => Ok(SecretText(whole.0.trim_end_matches(['\r', '\n']).to_owned())),
            }
        };
        read.await.map_err(|cause| SecretError { reference: self.id.clone(), cause })
    }

    async fn whole(&self, aws: &Aws) -> Result<SecretText, Cause> {
        let region = self.region.as_deref();
        match self.store {
            Store::SecretsManager => {
                let api = aws.api(Service::SECRETS_MANAGER, region);
                let secret: SecretValue = api.json("GetSecretValue", &json!({"SecretId": self.id})).await?;
                secret.text()
            }
            Store::Parameters => {
                let input = json!({"Name": self.id, "WithDecryption": true});
                let parameter: ParameterValue = aws.api(Service::SSM, region).json("GetParameter", &input).await?;
                Ok(parameter.parameter.value)
            }
        }
    }
}

/// From an ARN, whose service says who keeps it.
impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let arn: Arn = text.parse()?;
        let store = match arn.service.as_str() {
            "secretsmanager" if arn.resource_of("secret").is_some() => Store::SecretsManager,
            "ssm" if arn.resource_of("parameter").is_some() => Store::Parameters,
            _ => return Err(ReferenceError::Kind(arn)),
        };
        let Some(region) = arn.region().map(str::to_owned) else {
            return Err(ReferenceError::Region(arn));
        };
        Ok(Self { store, id: text.to_owned(), region: Some(region) })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl SecretText {
    /// The value itself. Use it only where it goes out on the wire or into a key.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn member(&self, key: &str) -> Result<Self, Cause> {
        let Ok(Value::Object(mut object)) = serde_json::from_str(&self.0) else {
            return Err(Cause::NotJson(key.to_owned()));
        };
        match object.remove(key) {
            Some(Value::String(value)) => Ok(Self(value)),
            _ => Err(Cause::NoMember(key.to_owned())),
        }
    }
}

impl SecretError {
    /// Whether AWS says that the secret is deleted, or about to be.
    pub fn is_gone(&self) -> bool {
        // `GetSecretValue` says `InvalidRequestException` of a secret that is marked for deletion.
        let gone = ["ResourceNotFoundException", "InvalidRequestException", "ParameterNotFound"];
        matches!(&self.cause, Cause::Call(CallError::Refused(why)) if gone.contains(&why.code.as_str()))
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl SecretValue {
    fn text(self) -> Result<SecretText, Cause> {
        match (self.secret_string, self.secret_binary) {
            (Some(text), _) => Ok(text),
            (None, Some(binary)) => {
                let bytes = STANDARD.decode(binary.expose()).map_err(|_| Cause::NotText)?;
                String::from_utf8(bytes).map(SecretText).map_err(|_| Cause::NotText)
            }
            (None, None) => Err(Cause::Empty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_who_keeps_the_secret() {
        let of = |text: &str| text.parse::<Reference>().unwrap();
        let secret = of("arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b-AbCdEf");
        assert_eq!((secret.store, secret.region.as_deref()), (Store::SecretsManager, Some("us-east-1")));
        assert_eq!(of("arn:aws-cn:ssm:cn-north-1:123456789012:parameter/a").store, Store::Parameters);
        assert_eq!(Reference::secret("a").region, None);
        assert_eq!(Reference::parameter("arn:aws:ssm:eu-west-1:123456789012:parameter/a").region.unwrap(), "eu-west-1");
    }

    #[test]
    fn other_arns_are_refused() {
        let refused = |text: &str| text.parse::<Reference>().unwrap_err().to_string();
        let wanted = "expected `arn:aws:secretsmanager:region:account:secret:name` or \
                      `arn:aws:ssm:region:account:parameter/name`";
        for arn in ["arn:aws:s3:::bucket/key", "arn:aws:ssm:us-east-1:123456789012:document/a"] {
            assert_eq!(refused(arn), format!("`{arn}` is no ARN of a secret: {wanted}"));
        }
        let arn = "arn:aws:ssm::123456789012:parameter/a";
        assert_eq!(refused(arn), format!("`{arn}` has no region: take the whole ARN"));
    }

    #[test]
    fn a_member_is_taken_out() {
        let secret = SecretText(r#"{"client_secret": "hunter2", "port": 1}"#.to_owned());
        assert_eq!(secret.member("client_secret").unwrap().expose(), "hunter2");
        for (secret, key) in [(secret.clone(), "port"), (secret, "secret"), (SecretText("hunter2".into()), "a")] {
            let error = secret.member(key).unwrap_err().to_string();
            assert!(error.contains(key) && !error.contains("hunter2"), "{error}");
        }
        assert_eq!(format!("{:?}", SecretText("hunter2".into())), "<redacted>");
    }

    #[test]
    fn binary_secrets_are_text_or_nothing() {
        let value = |text: Option<&str>, binary: Option<&str>| {
            let of = |value: Option<&str>| value.map(|value| SecretText(value.to_owned()));
            SecretValue { secret_string: of(text), secret_binary: of(binary) }.text().map_err(|error| error.to_string())
        };
        assert_eq!(value(None, Some("aHVudGVyMg==")).unwrap().expose(), "hunter2");
        assert_eq!(value(None, Some("/w==")).unwrap_err(), "it holds bytes that are not UTF-8 text");
        assert_eq!(value(None, None).unwrap_err(), "it has no value yet");
    }
}
