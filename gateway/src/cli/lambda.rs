//! `causeway lambda`: what config.toml says as an AWS Lambda function behind API Gateway, or one of the sample servers.

use std::path::Path;

use anyhow::{Context, bail};
use causeway_oidc::clock::Clock;

use super::{ConfigArgs, Usage, configured};
use crate::{
    app::App,
    config::{Environment, environment::Reference},
    shutdown, telemetry,
};

/// What Lambda sets for every function, and a runtime must have.
const SET_BY_LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];
/// What a handler begins with that names a sample server.
const SAMPLE: &str = "sample.";

/// Answers Lambda's events until it ends the process. Lambda starts this program without arguments, and means this command.
///
/// # Errors
/// Mistakes of the config; it was not Lambda that started this.
pub(super) async fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    if let Some(missing) = SET_BY_LAMBDA.iter().find(|name| text(&environment, name).is_none()) {
        bail!(Usage(format!(
            "it is AWS Lambda that starts this command, and `{missing}` is not set: use `causeway serve` to serve here"
        )));
    }
    let handler = text(&environment, "_HANDLER");
    if let Some(name) = handler.as_deref().and_then(|handler| handler.strip_prefix(SAMPLE)) {
        return sample(name).await;
    }
    let mut config = in_package(args, &environment).load(&environment)?;
    config.limits.keep_connections = false;
    telemetry::init_as(&config.telemetry, "info");
    let shutdown = shutdown::requested().context("the process cannot listen for signals")?;
    App::build(config, Clock::system())?.run_invoked(shutdown).await
}

/// Whether Lambda has started this process.
pub(super) fn is_lambda(environment: &Environment) -> bool {
    text(environment, SET_BY_LAMBDA[0]).is_some()
}

/// The same, meaning the config.toml in the function's package where nothing says which.
fn in_package(args: &ConfigArgs, environment: &Environment) -> ConfigArgs {
    let packaged = text(environment, "LAMBDA_TASK_ROOT").map(|root| Path::new(&root).join(configured::FILE));
    let said = args.config.is_some() || environment.look_up(Reference::Variable(configured::TEXT_VARIABLE)).is_ok();
    ConfigArgs { config: args.config.clone().or(packaged.filter(|_| !said)) }
}

#[cfg(feature = "dev")]
async fn sample(name: &str) -> anyhow::Result<()> {
    use axum::{body::Body, extract::Request};
    use clap::Parser;
    use tower_service::Service;

    use crate::lambda::{self, Reading};

    /// What the environment says of it, as on the command line.
    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        args: causeway_servers::ServeArgs,
    }

    telemetry::init("info");
    let sample = name.parse().map_err(|unknown: causeway_servers::UnknownSample| Usage(unknown.to_string()))?;
    let router = causeway_servers::router(sample, &Settings::parse_from([name]).args).await?;
    let reading = Reading { base: String::new(), trusts_authorizer: false, clock: Clock::system() };
    let answer = |request: Request<Body>| {
        let mut router = router.clone();
        async move {
            let Ok(answer) = router.call(request).await;
            answer
        }
    };
    lambda::run(reading, answer, async || ()).await
}

#[cfg(not(feature = "dev"))]
async fn sample(name: &str) -> anyhow::Result<()> {
    bail!(Usage(format!("the handler names the sample server `{name}`, and this program was built without them")))
}

fn text(environment: &Environment, name: &str) -> Option<String> {
    environment.look_up(Reference::Variable(name)).ok().map(|value| value.expose().to_owned())
}
