//! What the root gives once everything is made: the serde mirror of `terraform output -json`. Members that are not known here are left
//! out, and the client's secret is kept apart from what may be written down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::Secret;

/// What may be shown and kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(default)]
pub struct Outputs {
    /// Ends in `/mcp`.
    pub gateway_url: Option<String>,
    pub gateway_id: Option<String>,
    pub gateway_arn: Option<String>,
    pub gateway_role_arn: Option<String>,
    pub user_pool_id: Option<String>,
    pub client_id: Option<String>,
    /// The client for people, without a secret.
    pub user_client_id: Option<String>,
    pub token_endpoint: Option<String>,
    pub scope: Option<String>,
    pub discovery_url: Option<String>,
    pub test_username: Option<String>,
    /// By the names that their owner gave them.
    pub runtimes: BTreeMap<String, RuntimeOutput>,
    /// Ready to paste.
    pub commands: BTreeMap<String, String>,
}

/// One Runtime.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(default)]
pub struct RuntimeOutput {
    pub id: Option<String>,
    pub arn: Option<String>,
    pub agent_name: Option<String>,
    pub target_name: Option<String>,
    pub user_pool_id: Option<String>,
    pub client_id: Option<String>,
    pub discovery_url: Option<String>,
    pub image_uri: Option<String>,
    pub log_group: Option<String>,
    pub execution_role_arn: Option<String>,
    pub runtime_config_secret_arn: Option<String>,
}

/// They are not as they are known here.
#[derive(Debug, thiserror::Error)]
#[error("what Terraform gave is not known here ({0}); was the root changed?")]
pub struct Strange(serde_json::Error);

impl Outputs {
    /// Of the answer of `terraform output -json`: what may be shown, and the client's secret.
    ///
    /// # Errors
    /// [`Strange`].
    pub fn read(answer: &Value) -> Result<(Self, Option<Secret>), Strange> {
        let object = answer.as_object().cloned().unwrap_or_default();
        let mut values: Map<String, Value> =
            object.into_iter().filter_map(|(name, mut output)| Some((name, output.get_mut("value")?.take()))).collect();
        let secret = values.remove("client_secret").and_then(|secret| secret.as_str().map(Secret::new));
        values.retain(|_, value| !value.is_null());
        let outputs = serde_json::from_value(Value::Object(values)).map_err(Strange)?;
        Ok((outputs, secret))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_secret_stays_apart() {
        let answer = json!({
            "gateway_url": {"value": "https://g.example/mcp", "sensitive": false, "type": "string"},
            "client_secret": {"value": "hunter2", "sensitive": true},
            "user_pool_id": {"value": null},
            "runtimes": {"value": {"my-calculator": {"arn": "arn:…", "id": "x", "later": 1}}},
            "something_new": {"value": [1]},
        });
        let (outputs, secret) = Outputs::read(&answer).unwrap();
        assert_eq!(outputs.runtimes["my-calculator"].arn.as_deref(), Some("arn:…"));
        assert_eq!((outputs.user_pool_id.as_deref(), secret.unwrap().expose()), (None, "hunter2"));
        assert!(!serde_json::to_string(&outputs).unwrap().contains("hunter2"));
    }
}
