//! Secrets of Secrets Manager: made, changed, shown, removed. Meant for the configuration that a server reads at its start, so that a
//! value is a JSON object of texts unless something else is asked for.
//!
//! Source: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/>

use std::path::PathBuf;

use anyhow::bail;
use aws_lc_rs::rand;
use causeway_aws::{Aws, call::CallError, endpoint::Service, secret::Reference};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{AccountArgs, agreed};
use crate::{
    cli::{
        Usage,
        peer::{file, variable},
        screen::{out, out_line, padded, printable},
    },
    config::Environment,
    deploy::state::hex,
    secret::Secret,
};

/// What is done.
#[derive(Clone, Debug, Subcommand)]
pub enum SecretArgs {
    /// Make one
    Create(CreateArgs),
    /// Give one another value
    Update(UpdateArgs),
    /// Show one: its ARN and the names of its members, and its value only with --show
    Get(GetArgs),
    /// Remove one; it can be brought back for 30 days
    Delete(DeleteArgs),
}

/// Where the value is.
#[derive(Clone, Debug, Args)]
pub(super) struct ValueArgs {
    /// The variable that holds the value
    #[arg(long, value_name = "NAME", conflicts_with = "value_file")]
    value_env: Option<String>,
    /// The file that holds it; `-`, the default, is standard input
    #[arg(long, value_name = "PATH", default_value = "-", hide_default_value = true)]
    value_file: PathBuf,
    /// Take any text, not only a JSON object of texts such as {\"ALLOWED_LOG_GROUPS\": \"/aws/lambda/orders\"}
    #[arg(long)]
    text: bool,
}

/// A new one.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  What the CloudWatch Insights server reads at its start:
    echo '{\"ALLOWED_LOG_GROUPS\": \"/aws/lambda/orders\"}' | causeway aws secret create my-insights-config")]
pub struct CreateArgs {
    /// Its name
    name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    value: ValueArgs,
    #[command(flatten)]
    account: AccountArgs,
}

/// Which one, and its value.
#[derive(Clone, Debug, Args)]
pub struct UpdateArgs {
    /// Its name or ARN
    secret: String,
    #[command(flatten)]
    value: ValueArgs,
    #[command(flatten)]
    account: AccountArgs,
}

/// Which one.
#[derive(Clone, Debug, Args)]
pub struct GetArgs {
    /// Its name or ARN
    secret: String,
    /// Print its value and nothing else
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    account: AccountArgs,
}

/// Which one.
#[derive(Clone, Debug, Args)]
pub struct DeleteArgs {
    /// Its name or ARN
    secret: String,
    /// So many days it can be brought back
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u8).range(7..=30))]
    recovery_days: u8,
    /// At once and for good
    #[arg(long, conflicts_with = "recovery_days")]
    now: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &SecretArgs, environment: &Environment) -> anyhow::Result<()> {
    match args {
        SecretArgs::Create(args) => create(args, environment).await,
        SecretArgs::Update(args) => update(args, environment).await,
        SecretArgs::Get(args) => get(args, environment).await,
        SecretArgs::Delete(args) => delete(args, environment).await,
    }
}

impl ValueArgs {
    fn value(&self, environment: &Environment) -> anyhow::Result<Secret> {
        let value = match &self.value_env {
            Some(name) => variable(name, "the value", environment)?,
            None => file(&self.value_file, "--value-file", environment)?,
        };
        let texts = |object: &Map<String, Value>| !object.is_empty() && object.values().all(Value::is_string);
        match serde_json::from_str(value.expose()) {
            Ok(Value::Object(object)) if texts(&object) => Ok(value),
            _ if self.text => Ok(value),
            // Not the value itself.
            _ => bail!(Usage(
                "the value is no JSON object of texts, as servers read their configuration; write one such as `{\"NAME\": \"value\"}`, \
                 or take any text with `--text`"
                    .into()
            )),
        }
    }
}

async fn create(args: &CreateArgs, environment: &Environment) -> anyhow::Result<()> {
    let value = args.value.value(environment)?;
    let aws = args.account.aws(environment)?;
    let mut input = json!({ "Name": args.name, "SecretString": value.expose(), "ClientRequestToken": once() });
    if let Some(description) = &args.description {
        input["Description"] = description.as_str().into();
    }
    let answer = ask(&aws, &args.name, "CreateSecret", &input).await?;
    out_line(&printable(answer["ARN"].as_str().unwrap_or(&args.name)))
}

async fn update(args: &UpdateArgs, environment: &Environment) -> anyhow::Result<()> {
    let value = args.value.value(environment)?;
    let aws = args.account.aws(environment)?;
    let input = json!({ "SecretId": args.secret, "SecretString": value.expose(), "ClientRequestToken": once() });
    let answer = ask(&aws, &args.secret, "PutSecretValue", &input).await?;
    out_line(&printable(answer["ARN"].as_str().unwrap_or(&args.secret)))
}

async fn get(args: &GetArgs, environment: &Environment) -> anyhow::Result<()> {
    let aws = args.account.aws(environment)?;
    let value = Reference::secret(&args.secret).read(&aws, None).await?;
    if args.show {
        return out_line(value.expose());
    }
    let answer = ask(&aws, &args.secret, "DescribeSecret", &json!({ "SecretId": args.secret })).await?;
    let members = match serde_json::from_str(value.expose()) {
        Ok(Value::Object(object)) => object.keys().map(|key| printable(key)).collect::<Vec<_>>().join(", "),
        _ => "a text".into(),
    };
    let text = |name: &str| answer[name].as_str().map(printable);
    let rows = [
        ("name", text("Name")),
        ("ARN", text("ARN")),
        ("description", text("Description")),
        ("holds", Some(format!("{members} (not shown; `--show` prints it)"))),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    out(&rows.map(|(name, value)| format!("{}{value}\n", padded(name, 13))).collect::<String>())
}

async fn delete(args: &DeleteArgs, environment: &Environment) -> anyhow::Result<()> {
    let aws = args.account.aws(environment)?;
    let (how, window) = match args.now {
        true => ("It cannot be brought back.".into(), json!({ "ForceDeleteWithoutRecovery": true })),
        false => (
            format!("It can be brought back for {} days.", args.recovery_days),
            json!({ "RecoveryWindowInDays": args.recovery_days }),
        ),
    };
    agreed(args.yes, &format!("Remove the secret `{}`? {how}", args.secret))?;
    let mut input = window;
    input["SecretId"] = args.secret.as_str().into();
    ask(&aws, &args.secret, "DeleteSecret", &input).await?;
    out_line(&format!("`{}` is removed", args.secret))
}

/// In the region of the ARN, if it is one.
async fn ask(aws: &Aws, secret: &str, operation: &str, input: &Value) -> Result<Value, CallError> {
    let arn = secret.parse::<causeway_aws::Arn>().ok();
    let region = arn.as_ref().and_then(causeway_aws::Arn::region);
    aws.api(Service::SECRETS_MANAGER, region).json(operation, input).await
}

/// AWS carries out one request of it: a repeated one is known by this.
fn once() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).expect("the system gives random bytes");
    hex(&bytes)
}
