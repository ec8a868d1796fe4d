//! A token for a user of a Cognito user pool, who proves who they are with a password. The password comes from a variable, a
//! file or the terminal, never from the command line.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
};

use anyhow::{Context, bail};
use causeway_aws::{
    cognito::{SignIn, sign_in},
    endpoint::Service,
    identity::Settings,
};
use clap::Args;
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use url::Url;

use super::ShowArgs;
use crate::{
    app,
    cli::{
        Usage,
        peer::{ClientSecretArgs, file, variable},
    },
    config::{Environment, SecretSource, environment::Reference},
    peer,
    secret::Secret,
};

/// Where the password is if nothing is said.
const PASSWORD: &str = "COGNITO_PASSWORD";

/// Which user of which pool.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  Look at the token, typing the password:
    causeway token password --region us-east-1 --client-id 4example --username alice

  Use one, with the password in COGNITO_PASSWORD:
    export CAUSEWAY_TOKEN=$(causeway token password --region us-east-1 --client-id 4example --username alice --raw)")]
pub struct PasswordArgs {
    /// The pool's app client, which must allow ALLOW_USER_PASSWORD_AUTH
    #[arg(long, value_name = "ID")]
    client_id: String,
    #[command(flatten)]
    secret: ClientSecretArgs,
    /// The user
    #[arg(long, value_name = "NAME", env = "COGNITO_USERNAME")]
    username: String,
    /// The variable that holds the password; default: COGNITO_PASSWORD, else it is asked for
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
    /// The file that holds it; `-` is standard input
    #[arg(long, value_name = "PATH", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// The pool's region; default: that of --user-pool-id, else that of AWS_REGION or the profile
    #[arg(long)]
    region: Option<String>,
    /// The pool, whose id begins with its region
    #[arg(long, value_name = "ID", conflicts_with = "region")]
    user_pool_id: Option<String>,
    /// Where Cognito is; default: the region's public endpoint, or AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL", conflicts_with_all = ["region", "user_pool_id"])]
    endpoint: Option<Url>,
    /// The ID token, which says who the user is, instead of the access token, which a gateway takes
    #[arg(long)]
    id_token: bool,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

impl PasswordArgs {
    pub(super) async fn token(&self, environment: &Environment) -> anyhow::Result<Secret> {
        let region = match &self.user_pool_id {
            None => self.region.clone(),
            Some(pool) => match pool.split_once('_') {
                Some((region, _)) => Some(region.to_owned()),
                None => bail!(Usage(format!("`{pool}` is no id of a user pool; write it like `us-east-1_Example`"))),
            },
        };
        let settings = Settings { region, ..Settings::default() };
        let aws = peer::aws(settings.clone(), environment)?;
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => {
                let region = aws.identity().region().await.context("say which region with `--region`")?;
                aws.endpoints().of(&Service::COGNITO_IDP, &region)?
            }
        };
        let secret = self.client_secret(&settings, environment).await?;
        let password = self.password(environment)?;
        let who = SignIn {
            client_id: &self.client_id,
            client_secret: secret.as_ref().map(Secret::expose),
            username: &self.username,
            password: password.expose(),
        };
        let http = app::http_client(&peer::defaults(environment)?)?;
        let tokens = sign_in(&http, &endpoint, who).await?;
        let token = match self.id_token {
            true => tokens.id_token.context("the pool gave no ID token")?,
            false => tokens.access_token,
        };
        Ok(Secret::new(token.expose()))
    }

    async fn client_secret(&self, settings: &Settings, environment: &Environment) -> anyhow::Result<Option<Secret>> {
        match self.secret.source(environment)? {
            None => Ok(None),
            Some(SecretSource::Here(secret)) => Ok(Some(secret)),
            Some(SecretSource::Aws { reference, json_key }) => {
                let aws = peer::aws(settings.clone(), environment)?;
                let text = reference.read(&aws, json_key.as_deref()).await?;
                Ok(Some(Secret::new(text.expose())))
            }
        }
    }

    fn password(&self, environment: &Environment) -> anyhow::Result<Secret> {
        if let Some(path) = &self.password_file {
            return file(path, "--password-file", environment);
        }
        if let Some(name) = &self.password_env {
            return variable(name, "the password", environment);
        }
        if let Ok(password) = environment.look_up(Reference::Variable(PASSWORD)) {
            return Ok(password);
        }
        if !std::io::stdin().is_terminal() {
            bail!(Usage(format!(
                "say where the password is, with `--password-env NAME` or `--password-file PATH`, or put it into `{PASSWORD}`"
            )));
        }
        let typed = hidden(&format!("Password of {}: ", self.username)).context("the terminal cannot be used")?;
        match typed.is_empty() {
            true => bail!(Usage("the password is empty".into())),
            false => Ok(Secret::new(typed)),
        }
    }
}

/// What is typed on the terminal after `prompt`, which the terminal does not show: from before it is asked for, because somebody may
/// type ahead.
fn hidden(prompt: &str) -> io::Result<String> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(&stdin, SetArg::TCSANOW, &silent)?;
    eprint!("{prompt}");
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    tcsetattr(&stdin, SetArg::TCSANOW, &before)?;
    eprintln!();
    read.map(|_| line.trim_end_matches(['\r', '\n']).to_owned())
}
