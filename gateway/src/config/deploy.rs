//! What `causeway deploy` makes of a configuration at AWS, and the rules that AgentCore has for names, paths and numbers there.
//! Looks at files only to see that they are there; asks nobody.
//!
//! Source: AgentCore's API model `bedrock-agentcore-control`, 2023-06-05 (`CreateGateway`, `CreateAgentRuntime`).

use std::{collections::BTreeMap, ops::RangeInclusive, path::PathBuf};

use causeway_core::name::TargetName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ClientCredentials;

mod entry;
mod path;

pub use entry::{Entry, Look, Wrong};

/// Letters of the gateway's name, so that the names that are made of it fit too.
pub const GATEWAY_NAME: usize = 48;
/// Letters of a runtime's name: `[a-zA-Z][a-zA-Z0-9_]{0,47}`, and a repository of ECR has two at least.
pub const RUNTIME_NAME: RangeInclusive<usize> = 2..=48;
/// Letters of the gateway's description.
pub const DESCRIPTION: usize = 200;
/// Where nothing else is said.
pub const REGION: &str = "us-east-1";

/// A gateway and the servers behind it, checked.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub gateway_name: String,
    pub gateway_description: String,
    pub region: String,
    pub tags: BTreeMap<String, String>,
    /// Whom the gateway lets in.
    pub authorizer: Authorization,
    pub servers: Vec<Server>,
    pub targets: Vec<Joined>,
}

/// How one part proves itself to the next.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Authorization {
    /// Access tokens of a Cognito user pool.
    #[default]
    Jwt,
    /// Signatures of AWS credentials (SigV4).
    Iam,
}

/// An MCP server that becomes a Runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// As its owner wrote it, with dashes.
    pub name: String,
    pub description: String,
    pub source: Source,
    pub environment: BTreeMap<String, String>,
    pub log_groups: Vec<String>,
    pub runtime_config: Option<BTreeMap<String, String>>,
    pub execution_role_arn: Option<String>,
    pub ecr_repository: Option<String>,
    pub authorization: Authorization,
    pub subnet_ids: Vec<String>,
    pub security_group_ids: Vec<String>,
    pub idle_timeout_seconds: Option<u64>,
    pub max_lifetime_seconds: Option<u64>,
}

/// What its image is made of. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A Python program, which gets a Dockerfile.
    Python { entrypoint: PathBuf, requirements: PathBuf },
    /// A directory with a Dockerfile.
    Directory(PathBuf),
    /// An image that is there.
    Image(String),
}

/// An MCP server that runs already and becomes a target as it is.
#[derive(Clone, Debug)]
pub struct Joined {
    pub name: TargetName,
    pub endpoint: Url,
    pub client: Option<ClientCredentials>,
}

/// What is wrong with a name of a gateway.
///
/// # Errors
/// What to write instead.
pub fn check_gateway_name(name: &str) -> Result<(), String> {
    match is_dashed(name) && name.len() <= GATEWAY_NAME {
        true => Ok(()),
        false => Err(format!(
            "is no name of a gateway: use letters and digits with single hyphens between them, at most {GATEWAY_NAME} in all, \
             for example `my-gateway`"
        )),
    }
}

/// What is wrong with a gateway's description.
///
/// # Errors
/// What to write instead.
pub fn check_description(text: &str) -> Result<(), String> {
    match text.chars().count() <= DESCRIPTION {
        true => Ok(()),
        false => Err(format!("takes at most {DESCRIPTION} letters")),
    }
}

/// What is wrong with a name of a runtime, of which the target's name is made as well, so that it takes no underscores.
///
/// # Errors
/// What to write instead.
pub fn check_runtime_name(name: &str) -> Result<(), String> {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    match begins && is_dashed(name) && RUNTIME_NAME.contains(&name.len()) {
        true => Ok(()),
        false => Err(format!(
            "is no name of a runtime: use a letter, then letters and digits with single hyphens between them, {} to {} in all, for \
             example `my-calculator`",
            RUNTIME_NAME.start(),
            RUNTIME_NAME.end()
        )),
    }
}

/// Whether the gateway and the runtime of these names can be told apart: roles and user pools are called after both.
///
/// # Errors
/// What to do.
pub fn check_apart(gateway: &str, runtime: &str) -> Result<(), String> {
    let is_of = |end: &&str| gateway.eq_ignore_ascii_case(&[runtime, end].concat());
    match ["", "-execution", "-build"].iter().any(is_of) {
        false => Ok(()),
        true => Err(format!(
            "what is made for it would have the same names as what is made for the gateway `{gateway}`; rename one"
        )),
    }
}

/// The name that AgentCore has for the runtime `name`.
pub fn agent_name(name: &str) -> String {
    name.replace('-', "_")
}

/// Of `names`, those whose runtime another one before has already: its number and that one's. Letter case does not tell them
/// apart, as people would not.
pub fn twins<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(usize, usize)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut twins = Vec::new();
    for (number, name) in names.enumerate() {
        let first = *seen.entry(agent_name(name).to_ascii_lowercase()).or_insert(number);
        twins.extend((first != number).then_some((number, first)));
    }
    twins
}

/// Letters and digits with single hyphens between them.
fn is_dashed(text: &str) -> bool {
    text.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_agentcore_takes() {
        let check = |name: &str, gateway: bool, runtime: bool| {
            let found = (check_gateway_name(name).is_ok(), check_runtime_name(name).is_ok());
            assert_eq!(found, (gateway, runtime), "{name}");
        };
        check("my-gateway", true, true);
        check("2-tools", true, false);
        check("a_b", false, false);
        check("a--b", false, false);
        check("a-", false, false);
        check("", false, false);
        check("a", true, false);
        check(&"a".repeat(48), true, true);
        check(&"a".repeat(49), false, false);
    }

    #[test]
    fn names_that_become_one_are_found() {
        assert!(check_apart("tools", "Tools").is_err() && check_apart("my-tools-build", "my-tools").is_err());
        assert!(check_apart("my-tools", "my-tools-build").is_ok());
        assert_eq!(agent_name("my-calculator"), "my_calculator");
        assert_eq!(twins(["a-b", "c", "A-B", "a-b"].into_iter()), [(2, 0), (3, 0)]);
    }
}
