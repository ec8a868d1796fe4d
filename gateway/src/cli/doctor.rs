//! `causeway doctor`: looks at everything that a gateway, or a server, needs to work, all at once and for a bounded time, and
//! says what was seen and what to do. Changes nothing and calls no tool.

mod aws;
mod certificate;
pub(in crate::cli) mod finding;
mod here;
pub(in crate::cli) mod hosted;
mod issuer;
mod names;
mod network;
mod target;

use std::{fs, pin::Pin, time::Duration};

use causeway_oidc::clock::Clock;
use clap::Args;
use futures::{StreamExt, stream::FuturesUnordered};
use tokio::time::timeout;
use url::Url;

use self::{
    aws::Kept,
    finding::{Finding, Level},
    hosted::Hosted,
    network::Network,
};
use super::{
    ConfigArgs, Said,
    peer::CredentialArgs,
    screen::{count, out, out_line, spinner, width},
};
use crate::{
    app::{self, App},
    config::{self, Authorizer, Config, Environment, Transport},
    peer::Address,
    stored::Sources,
    targets::Target,
};

/// What is looked at.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  Everything that ./config.toml needs:
    causeway doctor

  One server, as the gateway would reach it:
    causeway doctor https://tools.example.com/mcp --token-env TOKEN

EXIT STATUS: 0 if there is no problem, 1 if there is one, 64 if the configuration has mistakes.")]
pub struct DoctorArgs {
    /// A server to look at instead of a configuration: its URL, the ARN of an AgentCore Runtime, or the ARN or id of an
    /// AgentCore Gateway
    #[arg(value_name = "SERVER", conflicts_with = "config")]
    server: Option<Address>,
    #[command(flatten)]
    config: ConfigArgs,
    /// For each of the checks, which run at the same time
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Print one JSON object, for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    credential: CredentialArgs,
}

/// What every check may use.
#[derive(Debug)]
struct Bench {
    config: Config,
    sources: Sources,
    /// Shows the certificates that it is shown.
    probe: reqwest::Client,
    clock: Clock,
    patience: Duration,
}

/// One check: what it is about, and what it finds.
type Check<'a> = (Topic, Pin<Box<dyn Future<Output = Vec<Finding>> + 'a>>);

/// Where a finding stands in the report, and what it is about.
#[derive(Clone, Debug)]
struct Topic {
    order: usize,
    subject: String,
}

/// Prints what was found.
///
/// # Errors
/// Mistakes of the config, before anything else; that there are problems, once all are printed.
pub async fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    let (bench, mut findings) = bench(args, &environment).await?;
    let app = App::build(bench.config.clone(), bench.clock.clone())?;
    let waiting = spinner("looking".into(), args.json);
    let mut checks: FuturesUnordered<_> = bench
        .checks(&app, args.server.as_ref())
        .into_iter()
        .map(|(topic, check)| async {
            let found = timeout(bench.patience, check).await;
            let late = || {
                vec![
                    Finding::problem("no answer", format!("it took longer than {:?}", bench.patience))
                        .todo("look at it alone, or raise `--timeout`"),
                ]
            };
            (topic, found.unwrap_or_else(|_| late()))
        })
        .collect();
    let mut found = Vec::new();
    while let Some(one) = checks.next().await {
        found.push(one);
        waiting.set_message(format!("looking; {} left", count(checks.len(), "check")));
    }
    drop(checks);
    waiting.finish_and_clear();
    futures::future::join_all(app.targets().iter().map(|target| target.stop())).await;
    found.sort_by_key(|(topic, _)| topic.order);
    findings.extend(
        found
            .into_iter()
            .flat_map(|(topic, found)| found.into_iter().map(move |finding| finding.about(&topic.subject))),
    );
    match args.json {
        true => out_line(&finding::as_json(&findings).to_string())?,
        false => out(&finding::as_text(&findings, width()))?,
    }
    match findings.iter().filter(|finding| finding.level == Level::Problem).count() {
        0 => Ok(()),
        _ => Err(Said.into()),
    }
}

/// The configuration that is looked at, and what is known of it before anything is reached.
async fn bench(args: &DoctorArgs, environment: &Environment) -> anyhow::Result<(Bench, Vec<Finding>)> {
    let patience = Duration::from_secs(args.timeout);
    let (mut config, findings) = match &args.server {
        Some(server) => {
            let peer = args.credential.peer(server, environment).await?;
            let shown = Finding::good("address", causeway_oidc::fetch::shown(&peer.endpoint));
            (peer.config(environment)?, vec![shown.about(&server.to_string())])
        }
        None => {
            let draft = args.config.draft(environment)?;
            let files = here::secret_files(&draft.file, draft.directory());
            let config = draft.resolve(environment)?;
            let path = fs::canonicalize(&config.written.path).unwrap_or_else(|_| config.written.path.clone());
            let findings = here::of_config(&config, &files).into_iter();
            (config, findings.map(|finding| finding.about(&path.display().to_string())).collect())
        }
    };
    config.limits.discovery = config.limits.discovery.max(patience);
    config.limits.connect = config.limits.connect.min(patience);
    let clock = Clock::system();
    let sources = app::sources(&config, clock.clone())?;
    let probe = app::http_client_with(&config, |builder| builder.tls_info(true))?;
    Ok((Bench { config, sources, probe, clock, patience }, findings))
}

impl Bench {
    /// All of them, none begun; `server` is the one that is looked at, if it is one.
    fn checks<'a>(&'a self, app: &'a App, server: Option<&Address>) -> Vec<Check<'a>> {
        let whole = server.is_none();
        let mut checks: Vec<Check<'a>> = Vec::new();
        let mut add = |subject: String, check: Pin<Box<dyn Future<Output = Vec<Finding>> + 'a>>| {
            let topic = Topic { order: checks.len(), subject };
            checks.push((topic, check));
        };
        if whole {
            add("listen".into(), Box::pin(here::listen(self, self.config.gateway.listen, "gateway.listen")));
            if let Some(admin) = &self.config.admin {
                add("admin port".into(), Box::pin(here::listen(self, admin.listen, "admin.listen")));
            }
        }
        for (toolset, authorizer) in self.config.authorizers() {
            let Authorizer::CustomJwt(jwt) = authorizer else { continue };
            let subject = toolset.map_or("authorizer".into(), |name| format!("authorizer of toolset {name}"));
            add(subject, Box::pin(issuer::look(self, &jwt.discovery_url)));
        }
        for settings in aws::identities(&self.config) {
            let subject = settings.profile.as_ref().map_or("AWS".into(), |profile| format!("AWS profile {profile}"));
            add(subject, Box::pin(aws::who(self, settings)));
        }
        for Kept { place, reference, json_key } in aws::secrets(&self.config) {
            add(format!("secret {reference}"), Box::pin(aws::readable(self, place, reference, json_key)));
        }
        for target in app.targets() {
            let subject = if whole { format!("target {}", target.path()) } else { "server".into() };
            let place = self.place(target);
            if let Some(hosted) = place.and_then(|(of, url)| Hosted::new(server, url, &of.credential)) {
                add(subject.clone(), Box::pin(hosted.look(self)));
            }
            add(subject, Box::pin(target::look(self, target, !whole)));
        }
        if whole {
            add("lists".into(), Box::pin(names::look(self)));
        }
        checks
    }

    /// What the configuration says of `target`, and its URL; none if it is a child process.
    fn place(&self, target: &Target) -> Option<(&config::Target, &Url)> {
        let of = self.config.targets.iter().find(|of| of.name == *target.name())?;
        let Transport::Http(http) = &of.transport else { return None };
        let number = target.path().number().map_or(0, |number| usize::from(number.get()) - 1);
        let url = [&http.endpoint].into_iter().chain(&http.further).nth(number).unwrap_or(&http.endpoint);
        Some((of, url))
    }

    fn network(&self) -> Network<'_> {
        Network { config: &self.config, probe: &self.probe, clock: &self.clock }
    }
}
