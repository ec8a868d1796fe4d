//! `.agentcore-credentials-GATEWAY.json`: all that a client of the deployed gateway needs, secrets too, for its owner alone.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::process::Command;
use url::Url;

use super::{
    Outputs, TestUser,
    workspace::{Unwritten, write_private},
};
use crate::{
    config::{ClientAuthentication, ClientCredentials, TokenEndpoint},
    secret::Secret,
};

/// Its content. Members are called as the toolkit calls them that the file's name comes from.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct CredentialsFile {
    pub gateway_url: Option<String>,
    gateway_id: Option<String>,
    region: Option<String>,
    pub user_pool_id: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    token_endpoint: Option<Url>,
    scope: Option<String>,
    discovery_url: Option<String>,
    access_token: Option<String>,
    test_user: Option<User>,
}

#[derive(Clone, Deserialize)]
struct User {
    username: String,
    password: String,
}

impl CredentialsFile {
    /// For a .gitignore: those of all gateways.
    pub const IGNORED: &str = ".agentcore-credentials-*.json";

    /// Whether the file at `path`, there or not, is in a work tree of git, and nothing there keeps it out of the repository. Where there
    /// is no git, nobody would take it.
    pub async fn is_for_git(path: &Path) -> bool {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut git = Command::new("git");
        git.arg("-C").arg(directory).args(["check-ignore", "-q", "--"]).arg(path.file_name().unwrap_or_default());
        git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        // git-check-ignore(1): 0 if it is ignored, 128 if something else is wrong, such as that there is no work tree.
        git.status().await.is_ok_and(|status| status.code() == Some(1))
    }

    /// Where it is for the gateway of this name.
    pub fn path(directory: &Path, gateway: &str) -> PathBuf {
        directory.join(format!(".agentcore-credentials-{gateway}.json"))
    }

    /// What is there; nothing, where there is no file.
    ///
    /// # Errors
    /// A file that is not ours. The error repeats nothing of it.
    pub fn load(path: &Path) -> Result<Self, Unwritten> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(why) => return Err(Unwritten { path: path.to_owned(), done: "read", why }),
        };
        serde_json::from_str(&text).map_err(|why| {
            let what = format!("it is no such file (line {}); move it away", why.line());
            Unwritten { path: path.to_owned(), done: "read", why: io::Error::other(what) }
        })
    }

    /// Writes it as a whole, mode 600.
    ///
    /// # Errors
    /// [`Unwritten`].
    pub fn save(&self, path: &Path) -> Result<(), Unwritten> {
        let members = json!({
            "gateway_url": self.gateway_url,
            "gateway_id": self.gateway_id,
            "region": self.region,
            "user_pool_id": self.user_pool_id,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "token_endpoint": self.token_endpoint,
            "scope": self.scope,
            "discovery_url": self.discovery_url,
            "access_token": self.access_token,
            "test_user": self.test_user.as_ref().map(|it| json!({"username": it.username, "password": it.password})),
        });
        let Value::Object(members) = members else { unreachable!("it is an object") };
        let there: Map<String, Value> = members.into_iter().filter(|(_, value)| !value.is_null()).collect();
        write_private(path, &(serde_json::to_string_pretty(&there).expect("texts alone") + "\n"))
    }

    /// With what Terraform gave. A token that was there is for a client that may be gone.
    #[must_use]
    pub fn connected(self, region: &str, outputs: &Outputs, client_secret: Option<&Secret>) -> Self {
        let outputs = outputs.clone();
        Self {
            gateway_url: outputs.gateway_url,
            gateway_id: outputs.gateway_id,
            region: Some(region.to_owned()),
            user_pool_id: outputs.user_pool_id,
            client_id: outputs.client_id,
            client_secret: client_secret.map(|secret| secret.expose().to_owned()),
            token_endpoint: outputs.token_endpoint.and_then(|url| url.parse().ok()),
            scope: outputs.scope,
            discovery_url: outputs.discovery_url,
            access_token: None,
            test_user: self.test_user,
        }
    }

    #[must_use]
    pub fn with_user(self, user: &TestUser) -> Self {
        let user = User { username: user.name.clone(), password: user.password.expose().to_owned() };
        Self { test_user: Some(user), ..self }
    }

    #[must_use]
    pub fn with_token(self, token: &Secret) -> Self {
        Self { access_token: Some(token.expose().to_owned()), ..self }
    }

    pub fn user(&self) -> Option<TestUser> {
        let user = self.test_user.as_ref()?;
        Some(TestUser { name: user.username.clone(), password: Secret::new(&*user.password) })
    }

    pub fn token(&self) -> Option<Secret> {
        self.access_token.as_deref().map(Secret::new)
    }

    /// The client that tokens are fetched as; none, where the gateway takes signatures, or nothing is deployed yet.
    pub fn client(&self) -> Option<ClientCredentials> {
        Some(ClientCredentials {
            token_endpoint: TokenEndpoint::Url(self.token_endpoint.clone()?),
            client_id: self.client_id.clone()?,
            client_secret: Secret::new(self.client_secret.as_deref()?).into(),
            scopes: self.scope.iter().flat_map(|scope| scope.split_whitespace()).map(str::to_owned).collect(),
            client_authentication: ClientAuthentication::Basic,
            custom_parameters: Default::default(),
        })
    }
}

impl fmt::Debug for CredentialsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsFile").field("gateway_url", &self.gateway_url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_for_its_owner_and_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = CredentialsFile::path(directory.path(), "tools");
        assert!(CredentialsFile::load(&path).unwrap().client().is_none());
        let outputs = Outputs {
            gateway_url: Some("https://g.example/mcp".into()),
            client_id: Some("client".into()),
            token_endpoint: Some("https://t.example/token".into()),
            scope: Some("a/invoke b/invoke".into()),
            ..Outputs::default()
        };
        let user = TestUser { name: "alice".into(), password: Secret::new("hunter2") };
        let file = CredentialsFile::default().with_user(&user);
        let file =
            file.connected("us-east-1", &outputs, Some(&Secret::new("hunter3"))).with_token(&Secret::new("hunter4"));
        assert!(!format!("{file:?}").contains("hunter"));
        file.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = CredentialsFile::load(&path).unwrap();
        assert_eq!((read.user(), read.token()), (Some(user), Some(Secret::new("hunter4"))));
        let client = read.client().unwrap();
        assert_eq!((client.client_id.as_str(), client.scopes.len()), ("client", 2));
        fs::write(&path, "hunter5").unwrap();
        let strange = CredentialsFile::load(&path).unwrap_err().to_string();
        assert!(!strange.contains("hunter5"), "{strange}");
    }
}
