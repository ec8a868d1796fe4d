//! From the mirror of config.toml to what the program runs on: looks up references, checks values, and reports everything
//! that is wrong, each time with what to write instead. Says nothing about shape; `shape.rs` has done that.
//!
//! A function here that returns `None` has reported why, or knows that `shape.rs` has.

use std::{
    net::SocketAddr,
    ops::{Range, RangeInclusive},
    path::Path,
    time::Duration,
};

use causeway_core::catalog::{Names, Paging};

use super::{
    Authorizer, Config, Deployment, Failover, Gateway, Limits, Proxies, SecretSource, SessionMode, Sessions, Toolset,
    Written,
    environment::Environment,
    file::{self, File},
    findings::Findings,
    located::{Located, Member},
};

mod admin;
mod audit;
mod authorizer;
mod aws;
mod aws_iam;
mod clients;
mod credential;
mod deploy;
mod lambda;
mod login;
mod rate_limit;
mod replicas;
mod selection;
mod state;
mod target;
mod telemetry;
mod toolset;
mod value;

pub use deploy::Over;

/// A day.
const MOST_SECONDS: u64 = 86_400;
/// 1 GiB.
const MOST_BYTES: u64 = 1 << 30;
const MOST_COUNT: u64 = 1_000_000;
const MOST_ENTRIES: u64 = 10_000_000;
/// hyper reads no head with less room.
const HEADER_BYTES: RangeInclusive<u64> = 8192..=1 << 20;
/// A key that seals sessions is turned into 256 bits: less than that would be guessed sooner.
pub(crate) const KEY_BYTES: usize = 32;

/// What every check needs.
struct Resolver<'a> {
    directory: &'a Path,
    environment: &'a Environment,
    findings: &'a mut Findings,
}

/// Resolves `file`, whose relative paths start at `directory`.
pub(super) fn config(
    file: &File,
    directory: &Path,
    environment: &Environment,
    findings: &mut Findings,
) -> Option<Config> {
    let mut resolver = Resolver { directory, environment, findings };
    let gateway = resolver.gateway(file.gateway.as_ref());
    let shares = file.state.as_ref().is_some_and(|state| state.value.shares());
    let sessions = resolver.sessions(file.sessions.as_ref(), shares || file.login.is_some());
    let replicas = resolver.replicas(file.state.as_ref(), sessions.as_ref());
    let rate_limits = resolver.rate_limits(&file.rate_limits);
    let limits = resolver.limits(file.limits.as_ref());
    let failover = resolver.failover(file.failover.as_ref());
    let mut authorizer = resolver.authorizer(file.authorizer.as_ref());
    if let Some(member) = &file.authorizer {
        resolver.address(&member.at, gateway.as_ref(), authorizer.as_mut());
        resolver.exposure(file, &member.at, gateway.as_ref(), authorizer.as_ref());
    }
    let login = resolver.login(file.login.as_ref(), gateway.as_ref(), authorizer.as_ref());
    let audit = resolver.audit(file);
    let telemetry = resolver.telemetry(file.telemetry.as_ref());
    let state = resolver.state(file.state.as_ref());
    let admin = resolver.admin(file, authorizer.as_ref());
    let lambda = resolver.lambda(file.lambda.as_ref(), authorizer.as_ref());
    let aws = resolver.aws(file.aws.as_ref());
    let clients = resolver.clients(file.clients.as_ref(), gateway.as_ref().map_or(file::NAME, |gateway| &gateway.name));
    resolver.shortening(file, &clients);
    let targets = resolver.targets(file.targets.as_ref(), &aws);
    let toolsets = resolver.toolsets(file, gateway.as_ref());
    resolver.needless_exposure(file, authorizer.as_ref(), toolsets.as_deref());
    resolver.deploy(file);
    let proxies = Proxies::new(resolver.environment);
    let proxies = proxies.map_err(|error| resolver.findings.report_for_file(error.to_string())).ok();
    Some(Config {
        gateway: gateway?,
        sessions: sessions?,
        limits,
        rate_limits: rate_limits?,
        failover,
        replicas: replicas?,
        admin: admin?,
        audit: audit?,
        telemetry: telemetry?,
        state,
        lambda,
        aws,
        authorizer: authorizer?,
        login: login?,
        clients,
        targets: targets?,
        toolsets: toolsets?,
        proxies: proxies?,
        written: Written::default(),
    })
}

/// What `causeway deploy` makes of `file`; `over` is said beside it.
pub(super) fn deployment(
    file: &File,
    directory: &Path,
    environment: &Environment,
    findings: &mut Findings,
    over: &Over,
) -> Option<Deployment> {
    Resolver { directory, environment, findings }.deployment(file, over)
}

impl Resolver<'_> {
    fn gateway(&mut self, section: Option<&Located<file::Gateway>>) -> Option<Gateway> {
        let default = file::Gateway::default();
        let gateway = section.map_or(&default, |section| &section.value);
        let name = self.filled("gateway.name", &gateway.name);
        let listen = self.listen(&gateway.listen);
        let public_url = gateway.public_url.as_ref().map(|url| self.public_url(url));
        let paging = self.paging(&gateway.list_page);
        let origins: Vec<_> = gateway.allowed_origins.iter().map(|origin| self.origin(origin)).collect();
        Some(Gateway {
            name: name.unwrap_or(file::NAME).into(),
            description: None,
            listen: listen?,
            public_url: match public_url {
                Some(url) => Some(url?),
                None => None,
            },
            allowed_origins: origins.into_iter().collect::<Option<_>>()?,
            instructions: gateway.instructions.as_ref().map(|text| text.value.clone()),
            names: match gateway.names.as_ref().map(|names| names.value) {
                None | Some(file::Names::Prefixed) => Names::Prefixed,
                Some(file::Names::Plain) => Names::Plain,
            },
            paging,
            debug_errors: gateway.exception_level.is_some(),
            streaming: gateway.enable_response_streaming.as_ref().is_none_or(|streaming| streaming.value),
        })
    }

    fn paging(&mut self, member: &Member<file::ListPage>) -> Paging {
        match member.as_ref().map(|page| (page.value, page.at.clone())) {
            None => Paging::Whole,
            Some((file::ListPage::Target, _)) => Paging::Target,
            Some((file::ListPage::Entries(value), at)) => {
                if !(1..=MOST_COUNT).contains(&value) {
                    let message = format!(
                        "`gateway.list_page` takes 1 to {MOST_COUNT} entries, not {value}; leave it out for one page"
                    );
                    self.findings.report(&at, message);
                }
                Paging::Entries(usize::try_from(value).unwrap_or(usize::MAX))
            }
        }
    }

    fn listen(&mut self, member: &Member<String>) -> Option<SocketAddr> {
        let Some(listen) = member else {
            return Some(file::LISTEN.parse().expect("the default is an address"));
        };
        let parsed = listen.value.parse();
        if parsed.is_err() {
            let port = listen.value.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(8080_u16);
            let message = format!(
                "`gateway.listen` takes an IP address and a port; write `127.0.0.1:{port}` for this machine alone or \
                 `0.0.0.0:{port}` for all"
            );
            self.findings.report(&listen.at, message);
        }
        parsed.ok()
    }

    fn public_url(&mut self, member: &Located<String>) -> Option<url::Url> {
        let url = self.url("gateway.public_url", member, "https://gateway.example.com/mcp")?;
        if !url.path().ends_with("/mcp") || url.query().is_some() {
            let message = "`gateway.public_url` must end in `/mcp`, for example `https://gateway.example.com/mcp`";
            self.findings.report(&member.at, message);
        }
        Some(url)
    }

    /// Scheme, host and port of web pages.
    fn origin(&mut self, member: &Located<String>) -> Option<url::Url> {
        let url = self.url("gateway.allowed_origins", member, "https://inspector.example.com")?;
        if url.path() != "/" || url.query().is_some() {
            let message = format!(
                "an origin of `gateway.allowed_origins` has no path: write `{}`",
                url.origin().ascii_serialization()
            );
            self.findings.report(&member.at, message);
        }
        Some(url)
    }

    /// Without an authorizer, which stands at `at`, an endpoint serves this machine alone, unless its owner insists.
    fn exposure(&mut self, file: &File, at: &Range<usize>, gateway: Option<&Gateway>, authorizer: Option<&Authorizer>) {
        if let (Some(Authorizer::None), Some(gateway)) = (authorizer, gateway)
            && !gateway.listen.ip().is_loopback()
            && !allows_unauthenticated(file)
        {
            let message = format!(
                "`authorizer = \"none\"` would let anyone call who reaches `{}`; write `listen = \"127.0.0.1:{}\"`, \
                 configure `[authorizer.custom_jwt]` or `[authorizer.aws_iam]`, or insist with `gateway.allow_unauthenticated = true`",
                gateway.listen,
                gateway.listen.port()
            );
            self.findings.report(at, message);
        }
    }

    fn needless_exposure(&mut self, file: &File, authorizer: Option<&Authorizer>, toolsets: Option<&[Toolset]>) {
        let allow = file.gateway.as_ref().and_then(|gateway| gateway.value.allow_unauthenticated.as_ref());
        let (Some(allow), Some(authorizer), Some(toolsets)) = (allow, authorizer, toolsets) else { return };
        let mut all = toolsets.iter().filter_map(|toolset| toolset.authorizer.as_ref()).chain([authorizer]);
        if allow.value && !all.any(|authorizer| matches!(authorizer, Authorizer::None)) {
            let message = "`gateway.allow_unauthenticated = true` has no effect beside an authorizer; leave it out";
            self.findings.report(&allow.at, message);
        }
    }

    /// A signed request is for one host. On loopback `Host` is checked in any case; elsewhere the file must say which it is. The
    /// authorizer stands at `at`.
    fn address(&mut self, at: &Range<usize>, gateway: Option<&Gateway>, authorizer: Option<&mut Authorizer>) {
        let (Some(gateway), Some(Authorizer::AwsIam(iam))) = (gateway, authorizer) else { return };
        iam.host = gateway.public_url.as_ref().map(|url| {
            let host = url.host_str().unwrap_or_default();
            url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
        });
        if iam.host.is_none() && !iam.access_keys.is_empty() && !gateway.listen.ip().is_loopback() {
            let message = "`authorizer.aws_iam.access_keys` needs `gateway.public_url` where other machines call, so that a \
                           request that was signed for another host is not taken; write `public_url = \"https://…/mcp\"`";
            self.findings.report(at, message);
        }
    }

    fn sessions(&mut self, section: Option<&Located<file::Sessions>>, seals: bool) -> Option<Sessions> {
        let default = file::Sessions::default();
        let sessions = section.map_or(&default, |section| &section.value);
        let mode = match sessions.mode.as_ref().map(|mode| mode.value) {
            None | Some(file::SessionMode::Optional) => SessionMode::Optional,
            Some(file::SessionMode::Required) => SessionMode::Required,
            Some(file::SessionMode::Off) => SessionMode::Off,
        };
        for (name, keys) in [("key_env", &sessions.key_env), ("key_arn", &sessions.key_arn)] {
            // A login rides in sealed tokens too, and so does what replicas tell each other.
            if let (SessionMode::Off, Some(key), false) = (mode, keys.first(), seals) {
                let message =
                    format!("`sessions.{name}` has no effect with `mode = \"off\"`; leave one of the two out");
                self.findings.report(&key.at, message);
            }
        }
        let timeout = self.seconds("sessions.timeout_seconds", &sessions.timeout_seconds, file::SESSION_SECONDS);
        let here = self.session_keys(&sessions.key_env);
        let kept: Vec<_> = sessions
            .key_arn
            .iter()
            .map(|arn| {
                let reference = self.secret_arn("sessions.key_arn", arn)?;
                Some(SecretSource::Aws { reference, json_key: None })
            })
            .collect();
        let kept: Option<Vec<_>> = kept.into_iter().collect();
        let keys = here?.into_iter().map(SecretSource::Here).chain(kept?).collect();
        Some(Sessions { mode, timeout, keys })
    }

    fn session_keys(&mut self, names: &[Located<String>]) -> Option<Vec<crate::secret::Secret>> {
        let keys: Vec<_> = names
            .iter()
            .map(|name| {
                let key = self.variable("sessions.key_env", name, "")?;
                if key.expose().len() < KEY_BYTES {
                    let message = format!(
                        "the session key that `sessions.key_env` names is shorter than {KEY_BYTES} bytes; make one with \
                         `openssl rand -base64 32`"
                    );
                    self.findings.report(&name.at, message);
                }
                Some(key)
            })
            .collect();
        keys.into_iter().collect()
    }

    fn limits(&mut self, section: Option<&Located<file::Limits>>) -> Limits {
        let default = file::Limits::default();
        let limits = section.map_or(&default, |section| &section.value);
        let call = self.seconds("limits.call_seconds", &limits.call_seconds, file::CALL_SECONDS);
        let first_byte = self.seconds("limits.first_byte_seconds", &limits.first_byte_seconds, call.as_secs());
        if let (Some(member), true) = (&limits.first_byte_seconds, first_byte > call) {
            let message = format!(
                "`limits.first_byte_seconds` is longer than a whole call may take; write at most {} or raise \
                 `limits.call_seconds`",
                call.as_secs()
            );
            self.findings.report(&member.at, message);
        }
        Limits {
            request_bytes: self.bytes("limits.request_bytes", &limits.request_bytes, file::REQUEST_BYTES),
            response_bytes: self.bytes("limits.response_bytes", &limits.response_bytes, file::RESPONSE_BYTES),
            request_time: self.seconds("limits.request_seconds", &limits.request_seconds, file::REQUEST_SECONDS),
            header_bytes: self.size("limits.header_bytes", &limits.header_bytes, HEADER_BYTES, file::HEADER_BYTES),
            idle: self.seconds("limits.idle_seconds", &limits.idle_seconds, file::IDLE_SECONDS),
            stalled: self.seconds("limits.stalled_seconds", &limits.stalled_seconds, file::STALLED_SECONDS),
            drain: self.seconds("limits.drain_seconds", &limits.drain_seconds, file::DRAIN_SECONDS),
            connections: self.count("limits.connections", &limits.connections, file::CONNECTIONS),
            connect: self.seconds("limits.connect_seconds", &limits.connect_seconds, file::CONNECT_SECONDS),
            keep_connections: true,
            first_byte,
            call,
            start: self.seconds("limits.start_seconds", &limits.start_seconds, file::START_SECONDS),
            discovery: self.seconds("limits.discovery_seconds", &limits.discovery_seconds, file::DISCOVERY_SECONDS),
            refresh: self.seconds("limits.refresh_seconds", &limits.refresh_seconds, file::REFRESH_SECONDS),
            catalog_pages: self.count("limits.catalog_pages", &limits.catalog_pages, file::CATALOG_PAGES),
            parked_calls: self.count("limits.parked_calls", &limits.parked_calls, file::PARKED_CALLS),
            parked: self.seconds("limits.parked_seconds", &limits.parked_seconds, file::PARKED_SECONDS),
            streams: self.count("limits.streams", &limits.streams, file::STREAMS),
            catalog_entries: self.size(
                "limits.catalog_entries",
                &limits.catalog_entries,
                1..=MOST_ENTRIES,
                file::CATALOG_ENTRIES,
            ),
            catalog_bytes: self.bytes("limits.catalog_bytes", &limits.catalog_bytes, file::CATALOG_BYTES),
            target_calls: self.count("limits.target_calls", &limits.target_calls, file::TARGET_CALLS),
            target_queue: self.size("limits.target_queue", &limits.target_queue, 0..=MOST_COUNT, file::TARGET_QUEUE),
            queue: self.seconds("limits.queue_seconds", &limits.queue_seconds, file::QUEUE_SECONDS),
        }
    }

    fn failover(&mut self, section: Option<&Located<file::Failover>>) -> Failover {
        let default = file::Failover::default();
        let failover = section.map_or(&default, |section| &section.value);
        let failures = self.number("failover.failures", &failover.failures, 1..=MOST_COUNT, file::FAILURES);
        let (first_byte, cool_down) = (&failover.first_byte_seconds, &failover.cool_down_seconds);
        let cool_down = self.seconds("failover.cool_down_seconds", cool_down, file::COOL_DOWN_SECONDS);
        let most = &failover.longest_cool_down_seconds;
        // Who sets only the one above the other's default means both.
        let default = file::LONGEST_COOL_DOWN_SECONDS.max(cool_down.as_secs());
        let longest_cool_down = self.seconds("failover.longest_cool_down_seconds", most, default);
        if let (Some(member), true) = (most, longest_cool_down < cool_down) {
            let message = format!(
                "`failover.longest_cool_down_seconds` is shorter than the first; write at least {} or lower \
                 `failover.cool_down_seconds`",
                cool_down.as_secs()
            );
            self.findings.report(&member.at, message);
        }
        Failover {
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
            first_byte: self.seconds("failover.first_byte_seconds", first_byte, file::FAILOVER_FIRST_BYTE_SECONDS),
            cool_down,
            longest_cool_down,
        }
    }

    fn seconds(&mut self, name: &str, member: &Member<u64>, default: u64) -> Duration {
        Duration::from_secs(self.number(name, member, 1..=MOST_SECONDS, default))
    }

    fn bytes(&mut self, name: &str, member: &Member<u64>, default: u64) -> usize {
        self.size(name, member, 1..=MOST_BYTES, default)
    }

    fn count(&mut self, name: &str, member: &Member<u64>, default: u64) -> usize {
        self.size(name, member, 1..=MOST_COUNT, default)
    }

    fn size(&mut self, name: &str, member: &Member<u64>, allowed: RangeInclusive<u64>, default: u64) -> usize {
        usize::try_from(self.number(name, member, allowed, default)).unwrap_or(usize::MAX)
    }

    fn number(&mut self, name: &str, member: &Member<u64>, allowed: RangeInclusive<u64>, default: u64) -> u64 {
        let Some(member) = member else { return default };
        if !allowed.contains(&member.value) {
            let (least, most) = allowed.into_inner();
            let message = format!(
                "`{name}` takes {least} to {most}, not {}; leave it out for the default, {default}",
                member.value
            );
            self.findings.report(&member.at, message);
        }
        member.value
    }
}

fn allows_unauthenticated(file: &File) -> bool {
    let allow = file.gateway.as_ref().and_then(|gateway| gateway.value.allow_unauthenticated.as_ref());
    allow.is_some_and(|allow| allow.value)
}
