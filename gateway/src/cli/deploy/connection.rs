//! What a client needs of a gateway that was deployed: written to the credentials file, and shown without what is secret.

use std::path::{Path, PathBuf};

use causeway_aws::identity::Settings;
use serde_json::{Value, json};

use crate::{
    cli::{
        screen::{faint, notice, padded, printable, strong, tell},
        token,
    },
    config::Environment,
    deploy::{CredentialsFile, Outputs, Terraform, TestUser, Workspace},
};

/// In place of what is secret.
const REDACTED: &str = "<redacted>";

/// What is shown.
pub(super) struct Connection {
    workspace: Workspace,
    region: String,
    pub(super) outputs: Outputs,
    file: PathBuf,
    has_secret: bool,
    has_token: bool,
    user: Option<String>,
}

impl Connection {
    /// Of what Terraform has made. A token that cannot be had is a warning, and everything else is written all the same.
    pub(super) async fn made(
        terraform: &Terraform,
        workspace: &Workspace,
        region: &str,
        (before, user): (&CredentialsFile, Option<&TestUser>),
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let answer = terraform.outputs().await?;
        let (outputs, secret) = Outputs::read(&answer)?;
        let path = CredentialsFile::path(workspace.base(), workspace.gateway());
        let mut file = before.clone().connected(region, &outputs, secret.as_ref());
        file = user.into_iter().fold(file, CredentialsFile::with_user);
        // What is made may be used, whatever comes of the token.
        file.save(&path)?;
        let mut has_token = false;
        if let Some(client) = file.client() {
            match token::fetch(&client, Settings::default(), environment).await {
                Ok(token) => {
                    file.with_token(&token).save(&path)?;
                    has_token = true;
                }
                Err(error) => {
                    let todo = format!("try again with `causeway status {} --update-token`", workspace.options());
                    tell!("{}", notice("warning", &format!("there is no access token yet: {error:#}; {todo}")));
                }
            }
        }
        Ok(Self {
            workspace: workspace.clone(),
            region: region.to_owned(),
            outputs,
            file: path,
            has_secret: secret.is_some(),
            has_token,
            user: user.map(|user| user.name.clone()),
        })
    }

    /// For a person.
    pub(super) fn text(&self) -> String {
        let of = |text: &Option<String>| text.clone();
        let hidden = |there: bool| there.then(|| REDACTED.to_owned());
        let outputs = &self.outputs;
        let rows = [
            ("Gateway URL", of(&outputs.gateway_url)),
            ("Gateway ID", of(&outputs.gateway_id)),
            ("Region", Some(self.region.clone())),
            ("User Pool ID", of(&outputs.user_pool_id)),
            ("Client ID", hidden(outputs.client_id.is_some())),
            ("Client Secret", hidden(self.has_secret)),
            ("Access Token", hidden(self.has_token)),
            ("Test user", self.user.as_ref().map(|name| format!("{name}, password {REDACTED}"))),
            ("Credentials", Some(format!("{} (for you alone: mode 600)", shown(&self.file)))),
        ];
        let mut lines = vec![strong("Gateway connection information")];
        let shown = rows.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        lines.extend(shown.map(|(name, value)| format!("  {}{}", padded(name, 15), printable(value))));
        if !outputs.runtimes.is_empty() {
            lines.push(strong("Runtimes"));
        }
        for (name, runtime) in &outputs.runtimes {
            lines.push(format!("  {}  {}", printable(name), printable(runtime.arn.as_deref().unwrap_or_default())));
        }
        lines.push(strong("Next"));
        lines.extend(self.next().into_iter().map(|command| format!("  {command}")));
        lines.push(faint("  what else there is to do: docs/deploy.md"));
        lines.join("\n") + "\n"
    }

    fn next(&self) -> Vec<String> {
        let options = self.workspace.options();
        let status = format!("causeway status {options} --test-auth");
        let destroy = format!("causeway destroy {options}");
        // The root knows how a client is let in.
        let client = self.outputs.commands.get("configure_vscode").map(|command| printable(command));
        [Some(status), client, Some(destroy)].into_iter().flatten().collect()
    }

    /// For a program.
    pub(super) fn json(&self) -> Value {
        json!({
            "gateway": self.workspace.gateway(),
            "region": self.region,
            "credentialsFile": self.file,
            "hasToken": self.has_token,
            "outputs": self.outputs,
        })
    }
}

/// Without the `./` of the directory that nobody has named.
pub(super) fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}
