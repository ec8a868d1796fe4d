//! Resolves the targets: names, where they are, what `causeway dev` starts for them. Connects to none.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use causeway_aws::Arn;
use causeway_core::name::TargetName;
use url::Url;

use super::{
    super::{
        Aws, Dev, EraChoice, HttpTarget, StdioTarget, Target, TargetKind, TargetSessions, Transport,
        file::target as file,
        findings::ROOT,
        is_loopback,
        located::{Located, Member},
    },
    Resolver,
};
use crate::secret::Secret;

/// A URL in messages.
const EXAMPLE: &str = "https://tools.example.com/mcp";

impl Resolver<'_> {
    pub(super) fn targets(
        &mut self,
        member: Option<&Located<Vec<Located<file::Target>>>>,
        aws: &Aws,
    ) -> Option<Vec<Target>> {
        let targets = member.map_or(&[][..], |member| &member.value);
        if targets.is_empty() && !self.findings.took_out(&ROOT, &["targets"]) {
            self.findings.report_for_file(
                "there is no target; write at least one table `[[targets]]` with `name = \"my-target\"` and \
                 `http.endpoint = \"https://…/mcp\"`",
            );
        }
        let resolved: Vec<_> = targets.iter().map(|target| self.target(target, aws)).collect();
        self.duplicates(targets);
        self.standbys(targets);
        self.findings.concern(None);
        resolved.into_iter().collect()
    }

    /// Names must differ: two targets of one name would offer tools of one name. Letter case does not tell them apart, as
    /// clients and people would not.
    fn duplicates(&mut self, targets: &[Located<file::Target>]) {
        let mut seen: HashMap<String, (usize, usize)> = HashMap::new();
        for target in targets {
            let Some(name) = &target.value.name else { continue };
            let line = self.findings.line(&name.at);
            let (first, count) = seen.entry(name.value.to_ascii_lowercase()).or_insert((line, 0));
            *count += 1;
            if *count > 1 {
                self.findings.concern(Some(&target.at));
                let message = format!(
                    "the target on line {first} has the same name; rename this one, for example to `{}-{count}`",
                    name.value
                );
                self.findings.report(&name.at, message);
            }
        }
    }

    /// Who stands by must be another target of this file, and none that needs others to stand by for it.
    fn standbys(&mut self, targets: &[Located<file::Target>]) {
        let name_of = |target: &file::Target| target.name.as_ref().map(|name| name.value.clone());
        let is_gateway = |target: &file::Target| {
            target.kind.as_ref().is_some_and(|kind| matches!(kind.value, file::Kind::AgentcoreGateway))
        };
        for target in targets.iter().filter(|target| is_gateway(&target.value)) {
            self.findings.concern(Some(&target.at));
            let own = name_of(&target.value);
            for (at, standby) in target.value.standby.iter().enumerate() {
                let name = &standby.value;
                let meant = targets.iter().find(|other| name_of(&other.value).as_ref() == Some(name));
                let message = match meant {
                    None => format!("`standby` names `{name}`, which is no target of this file; give the name of one"),
                    Some(_) if own.as_ref() == Some(name) => "a target cannot stand by for itself; leave it out".into(),
                    Some(other) if is_gateway(&other.value) && !other.value.standby.is_empty() => format!(
                        "`standby` names `{name}`, which others stand by for in turn; name all of them here, best first"
                    ),
                    Some(_) if target.value.standby[..at].iter().any(|before| before.value == *name) => {
                        format!("`standby` names `{name}` twice; leave one out")
                    }
                    Some(_) => continue,
                };
                self.findings.report(&standby.at, message);
            }
        }
    }

    fn kind(&mut self, at: &Range<usize>, target: &file::Target) -> TargetKind {
        match (target.kind.as_ref().map(|kind| kind.value), target.standby.first()) {
            (Some(file::Kind::AgentcoreGateway), _) => {
                // What is no name is no target's either, which is reported.
                let standby = target.standby.iter().filter_map(|name| name.value.parse().ok());
                TargetKind::Gateway { standby: standby.collect() }
            }
            (Some(file::Kind::McpServer) | None, None) => TargetKind::Server,
            (Some(file::Kind::McpServer) | None, Some(first)) => {
                let message = "`standby` is for gateways, whose names others can serve: write `kind = \"agentcore-gateway\"`; a \
                               server that is in several places has `http.endpoints = [\"https://…/mcp\", \"https://…/mcp\"]`";
                if !self.findings.took_out(at, &["kind"]) {
                    self.findings.report(&first.at, message);
                }
                TargetKind::Server
            }
        }
    }

    fn target(&mut self, target: &Located<file::Target>, aws: &Aws) -> Option<Target> {
        let (at, target) = (&target.at, &target.value);
        self.findings.concern(Some(at));
        let name = self.target_name(at, &target.name);
        let kind = self.kind(at, target);
        let transport = self.transport(at, target, aws);
        let most = super::super::file::RESOURCE_PRIORITY;
        let priority = self.number("resource_priority", &target.resource_priority, 0..=most, most);
        let edits = self.edits(target);
        let credential = self.credential(target.credential.as_ref(), aws, region_of(target).as_deref());
        self.safe_to_sign(target, transport.as_ref());
        let dev = target.dev.as_ref().map(|dev| self.dev(dev));
        self.only_http(target);
        Some(Target {
            name: name?,
            kind,
            transport: transport?,
            resource_priority: u16::try_from(priority).unwrap_or(u16::MAX),
            edits: Arc::new(edits),
            credential: credential?,
            dev: match dev {
                Some(dev) => Some(dev?),
                None => None,
            },
        })
    }

    pub(super) fn target_name(&mut self, at: &Range<usize>, name: &Member<String>) -> Option<TargetName> {
        let name = self.required(at, "name", name, "\"my-target\"")?;
        match name.value.parse() {
            Ok(name) => Some(name),
            Err(why) => {
                let why: causeway_core::name::BadTargetName = why;
                self.findings.report(&name.at, why.to_string());
                None
            }
        }
    }

    pub(super) fn transport(&mut self, at: &Range<usize>, target: &file::Target, aws: &Aws) -> Option<Transport> {
        match (&target.http, &target.stdio) {
            (Some(http), None) => self.http(http, aws).map(Transport::Http),
            (None, Some(stdio)) => self.stdio(stdio).map(Transport::Stdio),
            (Some(http), Some(stdio)) => {
                let message = "`http` and `stdio` both say where the target is; leave one of them out";
                self.findings.report(&stdio.at, message);
                self.http(http, aws);
                self.stdio(stdio);
                None
            }
            (None, None) => {
                let message = "nothing says where the target is; write `http.endpoint = \"https://…/mcp\"` for a server that \
                               runs, or `stdio.command = [\"program\", \"argument\"]` for one to start";
                self.missing(at, &["http", "stdio"], message);
                None
            }
        }
    }

    fn http(&mut self, http: &Located<file::Http>, aws: &Aws) -> Option<HttpTarget> {
        let mut endpoints = self.endpoints(http, aws)?.into_iter();
        Some(HttpTarget {
            endpoint: endpoints.next()?,
            further: endpoints.collect(),
            runtime: http.value.runtime_arn.is_some(),
            era: era(&http.value.era),
            sessions: sessions(&http.value.sessions),
        })
    }

    /// Where a target is, best first.
    fn endpoints(&mut self, http: &Located<file::Http>, aws: &Aws) -> Option<Vec<Url>> {
        let Located { value: http, at } = http;
        if let (Some(qualifier), None) = (&http.qualifier, &http.runtime_arn) {
            let message = "`http.qualifier` has no effect without `http.runtime_arn`; leave it out";
            self.findings.report(&qualifier.at, message);
        }
        let said = [
            http.endpoint.as_ref().map(|it| ("endpoint", &it.at)),
            http.endpoints.as_ref().map(|it| ("endpoints", &it.at)),
            http.runtime_arn.as_ref().map(|it| ("runtime_arn", &it.at)),
        ];
        let said: Vec<_> = said.into_iter().flatten().collect();
        if let [(one, _), (other, at), ..] = said[..] {
            let message =
                format!("`http.{one}` and `http.{other}` both say where the target is; leave one of them out");
            self.findings.report(at, message);
        }
        if let Some(several) = &http.endpoints {
            return self.several(several);
        }
        if let Some(arn) = &http.runtime_arn {
            return self.runtime(arn, &http.qualifier, aws).map(|url| vec![url]);
        }
        if http.endpoint.is_none() {
            let message = format!(
                "`http.endpoint` is missing; write `endpoint = \"{EXAMPLE}\"`, or `runtime_arn = \"arn:…\"` for a server \
                 that AgentCore Runtime hosts"
            );
            self.missing(at, &["endpoint", "endpoints", "runtime_arn"], message);
        }
        Some(vec![self.url("http.endpoint", http.endpoint.as_ref()?, EXAMPLE)?])
    }

    /// The same server in several places.
    fn several(&mut self, several: &Located<Vec<Located<String>>>) -> Option<Vec<Url>> {
        if several.value.is_empty() {
            let message = format!("`http.endpoints` is empty; write `[\"{EXAMPLE}\"]`");
            self.findings.report(&several.at, message);
        }
        let urls: Vec<_> = several.value.iter().map(|url| self.url("http.endpoints", url, EXAMPLE)).collect();
        for (at, _) in urls.iter().enumerate().filter(|(at, url)| url.is_some() && urls[..*at].contains(url)) {
            // A key may stand in its query.
            let message = "`http.endpoints` holds one URL twice; leave one of them out";
            self.findings.report(&several.value[at].at, message);
        }
        urls.into_iter().collect()
    }

    fn stdio(&mut self, stdio: &Located<file::Stdio>) -> Option<StdioTarget> {
        let (at, stdio) = (&stdio.at, &stdio.value);
        let command = self.required(at, "stdio.command", &stdio.command, "[\"program\", \"argument\"]");
        let command = command.and_then(|command| self.command("stdio.command", command));
        let env = self.child_environment(stdio);
        Some(StdioTarget {
            command: command?,
            env: env?,
            working_directory: stdio.working_directory.as_ref().map(|path| self.directory.join(&path.value)),
            era: era(&stdio.era),
        })
    }

    /// A program and its arguments.
    fn command(&mut self, name: &str, command: &Located<Vec<String>>) -> Option<Vec<String>> {
        if command.value.first().is_none_or(String::is_empty) {
            let message = format!("`{name}` names no program; write `[\"program\", \"argument\"]`");
            self.findings.report(&command.at, message);
            return None;
        }
        Some(command.value.clone())
    }

    fn child_environment(&mut self, stdio: &file::Stdio) -> Option<BTreeMap<String, Secret>> {
        let mut env = BTreeMap::new();
        for (name, value) in &stdio.env {
            self.variable_name(name, value);
            env.insert(name.clone(), Some(Secret::new(&*value.value)));
        }
        for (name, from) in &stdio.env_from {
            self.variable_name(name, from);
            if stdio.env.contains_key(name) {
                let message = "a variable stands in `stdio.env` and in `stdio.env_from`; leave one of them out";
                self.findings.report(&from.at, message);
            }
            env.insert(name.clone(), self.variable("stdio.env_from", from, ""));
        }
        env.into_iter().map(|(name, value)| Some((name, value?))).collect()
    }

    fn variable_name(&mut self, name: &str, value: &Located<String>) {
        if name.is_empty() || name.contains(['=', '\0']) || value.value.contains('\0') {
            let message =
                "a variable of `stdio` has a name or a value that no process can be given; write a name without `=`";
            self.findings.report(&value.at, message);
        }
    }

    fn dev(&mut self, dev: &Located<file::Dev>) -> Option<Dev> {
        let (at, dev) = (&dev.at, &dev.value);
        let path = self.dev_path(dev);
        match (&dev.sample, &dev.command) {
            (Some(sample), None) => Some(Dev::Sample(sample.value.name().into())),
            (None, Some(command)) => Some(Dev::Command { command: self.command("dev.command", command)?, path }),
            (Some(_), Some(command)) => {
                let message = "`dev.sample` and `dev.command` both say what to start; leave one of them out";
                self.findings.report(&command.at, message);
                None
            }
            (None, None) => {
                let message = "`dev` does not say what to start; write `dev.sample = \"calculator\"` or `dev.command = \
                               [\"program\"]`";
                self.missing(at, &["sample", "command"], message);
                None
            }
        }
    }

    fn dev_path(&mut self, dev: &file::Dev) -> String {
        let Some(path) = &dev.path else {
            return file::DEV_PATH.into();
        };
        if dev.sample.is_some() {
            self.findings.report(&path.at, "`dev.path` has no effect beside `dev.sample`; leave it out");
        }
        if !path.value.starts_with('/') {
            let message = format!("`dev.path` must start with `/`; write `/{}`", path.value);
            self.findings.report(&path.at, message);
        }
        path.value.clone()
    }

    /// A signature lets whoever sees it on the way send the same request for minutes.
    fn safe_to_sign(&mut self, target: &file::Target, transport: Option<&Transport>) {
        let sigv4 = target.credential.as_ref().and_then(|credential| credential.value.sigv4.as_ref());
        if let (Some(sigv4), Some(Transport::Http(http))) = (sigv4, transport)
            && !http.runtime
            && [&http.endpoint].into_iter().chain(&http.further).any(|url| url.scheme() == "http" && !is_loopback(url))
        {
            let message = "`credential.sigv4` signs requests that others could see and send again: write `https` in \
                           `http.endpoint`; `http` is for this machine alone";
            self.findings.report(&sigv4.at, message);
        }
    }

    /// What has no meaning for a child process.
    fn only_http(&mut self, target: &file::Target) {
        if target.http.is_some() || target.stdio.is_none() {
            return;
        }
        if let Some(credential) = &target.credential {
            let message = "`credential` is for `http` targets: there is nobody to show it to over standard streams; pass the \
                           secret with `stdio.env_from = { NAME = \"NAME\" }`";
            self.findings.report(&credential.at, message);
        }
        if let Some(dev) = &target.dev {
            let message =
                "`dev` is for `http` targets: `causeway dev` starts `stdio.command` as it is; leave `dev` out";
            self.findings.report(&dev.at, message);
        }
    }
}

/// The region that the target's own ARN names.
fn region_of(target: &file::Target) -> Option<String> {
    let arn = target.http.as_ref()?.value.runtime_arn.as_ref()?;
    arn.value.parse().ok().and_then(|arn: Arn| arn.region().map(str::to_owned))
}

fn sessions(member: &Member<file::Sessions>) -> TargetSessions {
    match member.as_ref().map(|sessions| sessions.value) {
        None | Some(file::Sessions::PerCaller) => TargetSessions::PerCaller,
        Some(file::Sessions::PerSession) => TargetSessions::PerSession,
        Some(file::Sessions::Shared) => TargetSessions::Shared,
    }
}

fn era(member: &Member<file::Era>) -> EraChoice {
    match member.as_ref().map(|era| era.value) {
        None | Some(file::Era::Auto) => EraChoice::Auto,
        Some(file::Era::Modern) => EraChoice::Modern,
        Some(file::Era::Legacy) => EraChoice::Legacy,
    }
}
