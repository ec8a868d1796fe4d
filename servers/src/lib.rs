//! Sample MCP servers to put behind the gateway. They are ordinary servers: nothing here knows that a gateway exists.

mod args;
mod calculator;
mod cloudwatch_insights;
mod health;
mod hello;
mod jwt;
mod ready;
mod serve;
mod start;
mod stdio;
mod stop;

use std::{fmt, future::Future, str::FromStr};

use anyhow::Context as _;
use clap::ValueEnum;
use tokio::net::TcpListener;

pub use crate::{
    args::{JwtArgs, ServeArgs},
    start::main,
};

/// What `cloudwatch-insights` reads beside its arguments, for people.
pub const SETTINGS: &str = "\
Settings of cloudwatch-insights, from the environment, the file .env, the secret RUNTIME_CONFIG_SECRET_ID of Secrets Manager and the
parameter RUNTIME_CONFIG_SSM_PARAMETER_NAME of Parameter Store, in this order:
  LOG_SOURCE          aws (the default), directory (files of this machine) or samples (sample logs)
  LOG_DIRECTORY       with directory: a folder with a folder per log group
  ALLOWED_LOG_GROUPS  comma separated names or `prefix*`; needed for aws
  QUERY_TIMEOUT       how long a call may take [default: 60s]
  AWS_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID, ..., AWS_ENDPOINT_URL  as for every AWS program";

/// One of the sample servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Sample {
    /// `add_numbers` and `multiply_numbers`.
    Calculator,
    /// `greet_user`.
    Hello,
    /// `query_cloudwatch_insights`, `list_log_groups` and `get_log_fields`.
    CloudwatchInsights,
}

/// There is no sample server of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no sample server `{0}`; name one of `calculator`, `hello`, `cloudwatch-insights`")]
pub struct UnknownSample(String);

/// Serves `sample` as `args` say, over HTTP or stdin/stdout, until SIGINT, SIGTERM or (with `exit_with_stdin`) the end
/// of stdin.
///
/// Installs no tracing subscriber. Standard output carries the ready line, or the MCP messages with `stdio`: log to
/// stderr. A caller that owns the runtime ends it with [`tokio::runtime::Runtime::shutdown_background`]: with `stdio`
/// and a stdin that is no pipe, a read of stdin may still be blocked.
///
/// # Errors
/// A setting that cannot be used, or an address that cannot be bound; with `check_health`, a server that is not well.
pub async fn run(sample: Sample, args: ServeArgs) -> anyhow::Result<()> {
    if args.check_health {
        return health::check(args.listen_addr()).await;
    }
    let stop = stop::requested(args.exit_with_stdin && !args.stdio).context("cannot listen for signals")?;
    if args.stdio {
        return stdio::serve(sample, stop).await;
    }
    let addr = args.listen_addr();
    let listener = TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen on `{addr}`; choose another with `--listen` or `LISTEN`"))?;
    serve(sample, &args, listener, stop).await
}

/// Serves `sample` over HTTP on `listener` until `shutdown` ends, then lets running calls finish for a few seconds.
/// `args.listen`, `args.stdio` and `args.exit_with_stdin` mean nothing here.
///
/// # Errors
/// A setting that cannot be used.
pub async fn serve(
    sample: Sample,
    args: &ServeArgs,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    serve::over_http(sample, args, listener, shutdown).await
}

/// The routes of `sample` for a program without a port. Calls that still run when it ends are cut off. Of `args` count who is let
/// in, and the path.
///
/// # Errors
/// A setting that cannot be used.
pub async fn router(sample: Sample, args: &ServeArgs) -> anyhow::Result<axum::Router> {
    serve::without_port(sample, args).await
}

impl Sample {
    /// Every sample server.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// The name that the command line and the configuration use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Calculator => "calculator",
            Self::Hello => "hello",
            Self::CloudwatchInsights => "cloudwatch-insights",
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Sample {
    type Err = UnknownSample;

    fn from_str(text: &str) -> Result<Self, UnknownSample> {
        let found = Self::all().iter().find(|sample| sample.name() == text);
        found.copied().ok_or_else(|| UnknownSample(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_everywhere() {
        for sample in Sample::all() {
            let value = sample.to_possible_value().expect("no sample is hidden");
            assert_eq!(value.get_name(), sample.name());
            assert_eq!(sample.name().parse(), Ok(*sample));
        }
        assert_eq!("Hello".parse::<Sample>(), Err(UnknownSample("Hello".into())));
    }
}
