//! The part of config.toml that says what `causeway deploy` makes at AWS: the gateway, and of each target what is to become a Runtime.
//! Serving needs nothing of it. Names are those of the Terraform variables.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{FilePath, Located, Map, Member};
use crate::config::deploy::{Authorization, REGION};

/// An AgentCore Gateway that `causeway deploy` makes of the targets: those with `deploy` become Runtimes, those at an `https` URL
/// its targets as they are.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// Letters and digits with single hyphens between them; names of everything else are made of it. Default: what
    /// `--gateway-name` says.
    #[schemars(regex(pattern = "^([0-9a-zA-Z][-]?){1,48}$"))]
    pub gateway_name: Member<String>,
    /// What it is for. Default: nothing is said.
    #[schemars(length(max = 200))]
    pub gateway_description: Member<String>,
    /// Default: `aws.region`, else `us-east-1`.
    #[schemars(extend("default" = REGION))]
    pub region: Member<String>,
    /// Whom it lets in: `jwt`, who has an access token of its Cognito pool; `iam`, who signs with AWS credentials. Default: `jwt`.
    #[schemars(extend("default" = "jwt"))]
    pub authorizer: Member<Authorization>,
    /// Tags of everything that is made. Default: {}.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub tags: Map<String>,
    /// Targets that stay here: programs of this machine, and what AgentCore Gateway cannot reach. Default: none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub leave_out: Vec<Located<String>>,
}

impl Deploy {
    /// Whom the gateway lets in, said or not.
    pub fn authorization(&self) -> Authorization {
        self.authorizer.as_ref().map(|authorizer| authorizer.value).unwrap_or_default()
    }
}

/// What a target becomes at AWS: a Runtime of its own. Exactly one of `entrypoint` (with `requirements_file`), `source_directory` and
/// `image_uri`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["entrypoint", "requirements_file"] },
    { "required": ["source_directory"] },
    { "required": ["image_uri"] },
])))]
pub struct Runtime {
    /// A Python server, which gets a Dockerfile; a relative path starts at the directory of config.toml. Everything beside it goes
    /// into the image, but for hidden files and what is secret.
    #[schemars(regex(pattern = r"\.py$"))]
    pub entrypoint: Member<FilePath>,
    /// What it needs from PyPI.
    #[schemars(regex(pattern = r"\.txt$"))]
    pub requirements_file: Member<FilePath>,
    /// In place of `entrypoint`: a directory with a Dockerfile, for a server in any language.
    pub source_directory: Member<FilePath>,
    /// In place of `entrypoint`: an image in ECR with its tag or digest, built for ARM64.
    pub image_uri: Member<String>,
    /// What it is for. Default: nothing is said.
    pub description: Member<String>,
    /// Plain variables for it. Not for secrets. Default: {}.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub environment: Map<String>,
    /// CloudWatch log groups that it may read: its role may, and it is told so (`ALLOWED_LOG_GROUPS`). Default: none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub log_groups: Vec<Located<String>>,
    /// What it reads at start from a secret of Secrets Manager, whose ARN is in `RUNTIME_CONFIG_SECRET_ID`. Not for secrets: it
    /// stands in this file. Default: none, unless `log_groups` needs one.
    pub runtime_config: Member<Map<String>>,
    /// A role that is there, for it to act as. Default: one is made.
    #[schemars(regex(pattern = "^arn:[^:]+:iam::[0-9]{12}:role/.+$"))]
    pub execution_role_arn: Member<String>,
    /// A repository of ECR that is there, for its image. Default: one is made.
    pub ecr_repository: Member<String>,
    /// How the gateway proves itself to it: `jwt`, by a token of its own Cognito pool; `iam`, by a signature of the gateway's role.
    /// Default: `jwt`.
    #[schemars(extend("default" = "jwt"))]
    pub authorization: Member<Authorization>,
    /// Subnets to run in, together with `security_group_ids`. Default: none, the public network.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub subnet_ids: Vec<Located<String>>,
    /// Default: none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub security_group_ids: Vec<Located<String>>,
    /// Seconds without a call until a session ends. Default: 900, as AgentCore has it.
    #[schemars(range(min = 60, max = 1_209_600))]
    pub idle_timeout_seconds: Member<u64>,
    /// Seconds that a session lives at most. Default: 28800, as AgentCore has it.
    #[schemars(range(min = 60, max = 1_209_600))]
    pub max_lifetime_seconds: Member<u64>,
}
