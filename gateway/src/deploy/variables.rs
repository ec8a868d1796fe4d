//! The variables of `terraform/agentcore`: what stands in a file, and what is secret and goes by the environment alone.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::{Map, Value, json};

use causeway_aws::Arn;

use super::{
    State, TestUser,
    workspace::{Unwritten, Workspace, private_directory, write_private},
};
use crate::{
    config::{
        TokenEndpoint,
        deploy::{Authorization, Deployment, Joined, Server, Source},
    },
    secret::Secret,
};

/// Terraform reads it by its name.
pub const FILE: &str = "causeway.auto.tfvars.json";

/// The file's content.
#[derive(Debug, Serialize)]
pub struct Variables<'a> {
    region: &'a str,
    gateway_name: &'a str,
    gateway_description: &'a str,
    tags: &'a BTreeMap<String, String>,
    gateway_authorizer: Authorization,
    servers: BTreeMap<&'a str, ServerVariables<'a>>,
    targets: BTreeMap<&'a str, TargetVariables<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_secrets_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_user: Option<TestUserVariables<'a>>,
}

/// One of `servers`. What is absent has the root's own default.
#[derive(Debug, Serialize)]
struct ServerVariables<'a> {
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_directory: Option<PathBuf>,
    environment: &'a BTreeMap<String, String>,
    log_groups: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_config: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_role_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ecr_repository: Option<&'a str>,
    authorization: Authorization,
    subnet_ids: &'a [String],
    security_group_ids: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_timeout_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_lifetime_seconds: Option<u64>,
}

/// One of `targets`.
#[derive(Debug, Serialize)]
struct TargetVariables<'a> {
    endpoint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_credentials: Option<ClientVariables<'a>>,
}

#[derive(Debug, Serialize)]
struct ClientVariables<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    discovery_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<&'a str>,
    client_id: &'a str,
    scopes: &'a [String],
}

#[derive(Debug, Serialize)]
struct TestUserVariables<'a> {
    username: &'a str,
    create: bool,
}

impl<'a> Variables<'a> {
    /// Those of `deployment`, whose Python servers are packaged in `workspace`.
    /// `secrets_version`: of those of the targets.
    pub fn of(
        deployment: &'a Deployment,
        workspace: &Workspace,
        user: Option<&'a TestUser>,
        secrets_version: Option<u64>,
    ) -> Self {
        let servers = deployment.servers.iter();
        let targets = deployment.targets.iter();
        Self {
            region: &deployment.region,
            gateway_name: &deployment.gateway_name,
            gateway_description: &deployment.gateway_description,
            tags: &deployment.tags,
            gateway_authorizer: deployment.authorizer,
            servers: servers.map(|server| (&*server.name, ServerVariables::of(server, workspace))).collect(),
            targets: targets.map(|target| (target.name.as_str(), TargetVariables::of(target))).collect(),
            target_secrets_version: secrets_version,
            test_user: user.map(|user| TestUserVariables { username: &user.name, create: true }),
        }
    }

    /// As text for the file.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers alone") + "\n"
    }
}

impl<'a> ServerVariables<'a> {
    fn of(server: &'a Server, workspace: &Workspace) -> Self {
        let (image_uri, source_directory) = match &server.source {
            Source::Python { .. } => (None, Some(absolute(&workspace.source(&server.name)))),
            Source::Directory(path) => (None, Some(absolute(path))),
            Source::Image(image) => (Some(image.as_str()), None),
        };
        Self {
            description: &server.description,
            image_uri,
            source_directory,
            environment: &server.environment,
            log_groups: &server.log_groups,
            runtime_config: server.runtime_config.as_ref(),
            execution_role_arn: server.execution_role_arn.as_deref(),
            ecr_repository: server.ecr_repository.as_deref(),
            authorization: server.authorization,
            subnet_ids: &server.subnet_ids,
            security_group_ids: &server.security_group_ids,
            idle_timeout_seconds: server.idle_timeout_seconds,
            max_lifetime_seconds: server.max_lifetime_seconds,
        }
    }
}

impl<'a> TargetVariables<'a> {
    fn of(target: &'a Joined) -> Self {
        let client_credentials = target.client.as_ref().map(|client| {
            let (discovery_url, token_endpoint) = match &client.token_endpoint {
                TokenEndpoint::Discovery(url) => (Some(url.as_str()), None),
                TokenEndpoint::Url(url) => (None, Some(url.as_str())),
            };
            ClientVariables { discovery_url, token_endpoint, client_id: &client.client_id, scopes: &client.scopes }
        });
        Self { endpoint: target.endpoint.as_str(), client_credentials }
    }
}

/// The variable that is the test user's password, for Terraform's environment.
pub fn password(user: &TestUser) -> (String, Secret) {
    ("TF_VAR_test_user_password".into(), user.password.clone())
}

/// The variable that is the secrets of joined targets' clients, by the targets' names.
pub fn target_secrets(secrets: &BTreeMap<String, Secret>) -> (String, Secret) {
    let exposed: BTreeMap<&str, &str> = secrets.iter().map(|(name, secret)| (&**name, secret.expose())).collect();
    ("TF_VAR_target_secrets".into(), Secret::new(json!(exposed).to_string()))
}

/// The same variable with a text that is no secret for each target of the file in `directory`: enough to remove them.
pub fn no_secrets(directory: &Path) -> (String, Secret) {
    let text = fs::read_to_string(directory.join(FILE)).unwrap_or_default();
    let variables: Value = serde_json::from_str(&text).unwrap_or_default();
    let names = variables["targets"].as_object().into_iter().flat_map(|targets| targets.keys());
    target_secrets(&names.map(|name| (name.clone(), Secret::new("to-be-removed"))).collect())
}

/// Makes `workspace` good enough for removing what was deployed although a server's source has gone, or the whole directory was moved:
/// the root takes no source that is not there.
///
/// # Errors
/// [`Unwritten`].
pub fn no_sources(directory: &Path, workspace: &Workspace) -> Result<(), Unwritten> {
    let path = directory.join(FILE);
    let Some(mut variables) = fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok())
    else {
        return Ok(());
    };
    let instead = absolute(&workspace.source("to-be-removed"));
    let mut gone = false;
    for server in variables["servers"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(Value::String(source)) = server.get_mut("source_directory") else { continue };
        if !Path::new(source).join("Dockerfile").is_file() {
            (*source, gone) = (instead.display().to_string(), true);
        }
    }
    if gone {
        private_directory(&instead)?;
        write_private(&instead.join("Dockerfile"), "FROM scratch\n")?;
        write_private(&path, &variables.to_string())?;
    }
    Ok(())
}

/// The variable that is the account in which `state` was deployed, once that is known: in another, Terraform would find nothing, forget
/// all, and make it anew.
pub fn account(state: &State) -> Option<(String, Secret)> {
    let arn: Arn = state.outputs.as_ref()?.gateway_arn.as_ref()?.parse().ok()?;
    Some(("TF_VAR_account_id".into(), Secret::new(arn.account)))
}

/// Terraform starts in another directory.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
