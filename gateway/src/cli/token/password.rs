//! A token for a user of a Cognito user pool, who proves who they are with a password, and with what the pool wants to know
//! besides. All of it comes from variables, files or the terminal, never from the command line.

use std::{io::IsTerminal, path::PathBuf};

use anyhow::{Context, bail};
use causeway_aws::{
    cognito::{AsksFor, Cognito, SignIn, Step, Tokens},
    endpoint::Service,
    identity::Settings,
};
use causeway_oidc::clock::Clock;
use clap::Args;
use url::Url;

use super::ShowArgs;
use crate::{
    app,
    cli::{
        Usage,
        peer::{ClientSecretArgs, file, variable},
        screen::tell,
        typed::{hidden, unless_interrupted},
    },
    config::{Environment, environment::Reference},
    peer,
    secret::Secret,
    stored::StoredSecret,
};

/// Where the password is if nothing is said.
const PASSWORD: &str = "COGNITO_PASSWORD";
/// A pool asks for a new password and for one code, so a longer chain has no end.
const MOST_STEPS: usize = 5;

/// Which user of which pool.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  Look at the token, typing the password:
    causeway token password --region us-east-1 --client-id 4example --username alice

  Use one, with the password in COGNITO_PASSWORD:
    export CAUSEWAY_TOKEN=$(causeway token password --region us-east-1 --client-id 4example --username alice --raw)

  The first time, with a temporary password, for which the pool wants one of the user's own:
    causeway token password --region us-east-1 --client-id 4example --username alice \\
      --password-env COGNITO_TEMP_PASSWORD --new-password-env COGNITO_PASSWORD")]
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
    /// The variable that holds the password to have from now on, where the pool wants a new one; default: it is asked for
    #[arg(long, value_name = "NAME")]
    new_password_env: Option<String>,
    /// The file that holds it; `-` is standard input
    #[arg(long, value_name = "PATH", conflicts_with = "new_password_env")]
    new_password_file: Option<PathBuf>,
    /// The variable that holds the code of the second factor, where the pool wants one; default: it is asked for
    #[arg(long, value_name = "NAME")]
    mfa_code_env: Option<String>,
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
        let tokens = unless_interrupted(self.tokens(environment)).await?;
        let token = match self.id_token {
            true => tokens.id_token.context("the pool gave no ID token")?,
            false => tokens.access_token,
        };
        Ok(Secret::new(token.expose()))
    }

    async fn tokens(&self, environment: &Environment) -> anyhow::Result<Tokens> {
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
        let password = self.password(environment).await?;
        let who = SignIn {
            client_id: &self.client_id,
            client_secret: secret.as_ref().map(Secret::expose),
            username: &self.username,
            password: password.expose(),
        };
        let http = app::http_client(&peer::defaults(environment)?)?;
        let cognito = Cognito { http: &http, endpoint: &endpoint };
        let mut step = cognito.sign_in(who).await?;
        for _ in 0..MOST_STEPS {
            let challenge = match step {
                Step::In(tokens) => return Ok(tokens),
                Step::Challenged(challenge) => challenge,
            };
            let answer = self.asked_for(challenge.asks_for, environment).await?;
            step = cognito.answer(who, &challenge, answer.expose()).await?;
        }
        bail!("the pool asks for more and more, and gives no token")
    }

    async fn asked_for(&self, what: AsksFor, environment: &Environment) -> anyhow::Result<Secret> {
        match what {
            AsksFor::NewPassword => self.new_password(environment).await,
            AsksFor::AppCode => self.code("Code of your authenticator app", environment).await,
            AsksFor::PhoneCode => self.code("Code that was sent to your phone", environment).await,
            AsksFor::MailCode => self.code("Code that was sent to you by mail", environment).await,
        }
    }

    async fn new_password(&self, environment: &Environment) -> anyhow::Result<Secret> {
        if let Some(path) = &self.new_password_file {
            return file(path, "--new-password-file", environment);
        }
        if let Some(name) = &self.new_password_env {
            return variable(name, "the new password", environment);
        }
        if !std::io::stdin().is_terminal() {
            bail!(
                "the user must choose a new password: say where it is, with `--new-password-env NAME` or \
                 `--new-password-file PATH`, or run this on a terminal"
            );
        }
        tell!("The pool wants a new password of {}.", self.username);
        loop {
            let (first, again) = (hidden("New password: ").await?, hidden("Once more: ").await?);
            match first {
                None => bail!("the new password is empty"),
                first if first != again => tell!("These are two different ones."),
                Some(first) => return Ok(first),
            }
        }
    }

    async fn code(&self, prompt: &str, environment: &Environment) -> anyhow::Result<Secret> {
        if let Some(name) = &self.mfa_code_env {
            return variable(name, "the code", environment);
        }
        if !std::io::stdin().is_terminal() {
            bail!(
                "the pool wants a second factor: put its code into a variable and name that with `--mfa-code-env`, or run this \
                 on a terminal"
            );
        }
        hidden(&format!("{prompt}: ")).await?.context("there is no code")
    }

    async fn client_secret(&self, settings: &Settings, environment: &Environment) -> anyhow::Result<Option<Secret>> {
        let Some(source) = self.secret.source(environment)? else { return Ok(None) };
        let mut config = peer::defaults(environment)?;
        config.aws.identity = settings.clone();
        let sources = app::sources(&config, Clock::system())?;
        Ok(Some(StoredSecret::new(&source, &sources).value().await?.value))
    }

    async fn password(&self, environment: &Environment) -> anyhow::Result<Secret> {
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
        let typed = hidden(&format!("Password of {}: ", self.username)).await?;
        typed.ok_or_else(|| Usage("the password is empty".into()).into())
    }
}
