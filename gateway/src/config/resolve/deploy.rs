//! Resolves what `causeway deploy` makes of the file. Serving checks it and needs nothing of it, so only who deploys needs the files
//! and the secrets that it names.

use std::{collections::BTreeMap, ops::Range};

use causeway_aws::endpoint::is_region;

use super::{
    super::{
        Aws, Credential, Transport,
        deploy::{self, Deployment, Entry, Joined, Look, Server},
        file::{self, File, deploy as mirror, target as target_file},
        located::{Located, Member},
    },
    Resolver,
};

/// What a command says beside the file.
#[derive(Clone, Debug, Default)]
pub struct Over {
    pub gateway_name: Option<String>,
    pub gateway_description: Option<String>,
    pub region: Option<String>,
}

impl Resolver<'_> {
    /// What serving checks: everything but whether files and secrets are there.
    pub(super) fn deploy(&mut self, file: &File) {
        let section = file.deploy.as_ref().map(|section| &section.value);
        let default = mirror::Deploy::default();
        self.gateway_of(section.unwrap_or(&default), None);
        self.left_out(file, section);
        self.runtimes(file, false);
    }

    /// What deploying needs.
    pub(super) fn deployment(&mut self, file: &File, over: &Over) -> Option<Deployment> {
        let default = mirror::Deploy::default();
        let section = file.deploy.as_ref().map_or(&default, |section| &section.value);
        let aws = self.aws(file.aws.as_ref());
        let gateway_name = self.gateway_of(section, over.gateway_name.as_deref());
        self.left_out(file, Some(section));
        let servers = self.runtimes(file, true);
        if let Some(gateway) = &gateway_name {
            self.apart(file, gateway);
        }
        let targets = self.joined(file, section, &aws);
        self.findings.concern(None);
        if servers.as_ref().is_some_and(Vec::is_empty) && targets.as_ref().is_some_and(Vec::is_empty) {
            self.findings.report_for_file(
                "there is nothing to deploy; write `deploy.entrypoint`, `deploy.source_directory` or `deploy.image_uri` into the \
                 table of a target that is to become a Runtime",
            );
        }
        let said = |over: &Option<String>, member: &Member<String>| {
            over.clone().or_else(|| member.as_ref().map(|member| member.value.clone()))
        };
        let region = said(&over.region, &section.region).or(aws.identity.region.clone());
        Some(Deployment {
            gateway_name: gateway_name?,
            gateway_description: said(&over.gateway_description, &section.gateway_description).unwrap_or_default(),
            region: region.unwrap_or_else(|| deploy::REGION.into()),
            tags: plain(&section.tags),
            authorizer: section.authorization(),
            servers: servers?,
            targets: targets?,
        })
    }

    /// Its name, if somebody says one.
    fn gateway_of(&mut self, section: &mirror::Deploy, over: Option<&str>) -> Option<String> {
        if let Some(region) = section.region.as_ref().filter(|region| !is_region(&region.value)) {
            let message = "`deploy.region` is no region; write it like `us-east-1`";
            self.findings.report(&region.at, message);
        }
        if let Some(text) = section.gateway_description.as_ref()
            && let Err(why) = deploy::check_description(&text.value)
        {
            self.findings.report(&text.at, format!("`deploy.gateway_description` {why}"));
        }
        if let Some(over) = over {
            return Some(over.to_owned());
        }
        let name = section.gateway_name.as_ref()?;
        if let Err(why) = deploy::check_gateway_name(&name.value) {
            self.findings.report(&name.at, format!("`deploy.gateway_name`: `{}` {why}", name.value));
        }
        Some(name.value.clone())
    }

    fn left_out(&mut self, file: &File, section: Option<&mirror::Deploy>) {
        for name in section.into_iter().flat_map(|section| &section.leave_out) {
            match targets(file).find(|target| is_named(&target.value, &name.value)) {
                None => {
                    let message = format!("`deploy.leave_out` names `{}`, which is no target of this file", name.value);
                    self.findings.report(&name.at, message);
                }
                Some(target) if target.value.deploy.is_some() => {
                    let message = format!(
                        "`deploy.leave_out` names `{}`, which has `deploy`; leave one of the two out",
                        name.value
                    );
                    self.findings.report(&name.at, message);
                }
                Some(_) => {}
            }
        }
    }

    /// The targets that become Runtimes.
    fn runtimes(&mut self, file: &File, files: bool) -> Option<Vec<Server>> {
        let deployed: Vec<_> =
            targets(file).filter_map(|target| Some((target, target.value.deploy.as_ref()?))).collect();
        let servers: Vec<_> =
            deployed.iter().map(|(target, runtime)| self.runtime_of(target, runtime, files)).collect();
        let name = |target: &Located<target_file::Target>| target.value.name.as_ref().map(|name| name.value.clone());
        let names: Vec<String> = deployed.iter().map(|(target, _)| name(target).unwrap_or_default()).collect();
        for (twin, first) in deploy::twins(names.iter().map(String::as_str)) {
            let (target, _) = deployed[twin];
            // The same name is reported for targets as such.
            if !names[twin].eq_ignore_ascii_case(&names[first]) {
                self.findings.concern(Some(&target.at));
                let message = format!("its Runtime would have the same name as that of `{}`; rename one", names[first]);
                self.findings.report(&target.at, message);
            }
        }
        self.findings.concern(None);
        servers.into_iter().collect()
    }

    fn apart(&mut self, file: &File, gateway: &str) {
        for target in targets(file).filter(|target| target.value.deploy.is_some()) {
            let Some(name) = &target.value.name else { continue };
            if let Err(why) = deploy::check_apart(gateway, &name.value) {
                self.findings.concern(Some(&target.at));
                self.findings.report(&name.at, why);
            }
        }
        self.findings.concern(None);
    }

    fn runtime_of(
        &mut self,
        target: &Located<target_file::Target>,
        runtime: &Located<mirror::Runtime>,
        files: bool,
    ) -> Option<Server> {
        self.findings.concern(Some(&target.at));
        let entry = entry(&target.value, &runtime.value);
        let look = Look { directory: self.directory, files, prefix: "deploy." };
        let wrong = match entry.server(look) {
            Ok(server) => return Some(server),
            Err(wrong) => wrong,
        };
        for one in wrong {
            // What is missing or misspelled is reported with the target's other mistakes.
            let took = self.findings.took_out(&runtime.at, &[one.member])
                || one.member.is_empty() && self.findings.took_any(&runtime.at);
            let unnamed = one.member == "name" && target.value.name.is_none();
            if !took && !unnamed {
                let at = place(&target.value, runtime, one.member);
                self.findings.report(&at, one.message);
            }
        }
        None
    }

    /// The targets that run already.
    fn joined(&mut self, file: &File, section: &mirror::Deploy, aws: &Aws) -> Option<Vec<Joined>> {
        let stays = |target: &target_file::Target| section.leave_out.iter().any(|name| is_named(target, &name.value));
        let joined = targets(file).filter(|target| target.value.deploy.is_none() && !stays(&target.value));
        let joined: Vec<_> = joined.map(|target| self.join(target, aws)).collect();
        joined.into_iter().collect()
    }

    fn join(&mut self, target: &Located<target_file::Target>, aws: &Aws) -> Option<Joined> {
        self.findings.concern(Some(&target.at));
        let Located { value: target, at } = target;
        let or = "or leave it here with `deploy.leave_out`";
        let refuse = |resolver: &mut Self, at: &Range<usize>, why: &str| {
            resolver.findings.report(at, format!("{why}, {or}"));
            None
        };
        if target.kind.as_ref().is_some_and(|kind| matches!(kind.value, target_file::Kind::AgentcoreGateway)) {
            return refuse(
                self,
                at,
                "AgentCore Gateway would prefix the names of another gateway once more: make it none of its targets",
            );
        }
        let Some(http) = &target.http else {
            let why = "AgentCore Gateway starts no programs: say with `deploy.entrypoint`, `deploy.source_directory` or \
                       `deploy.image_uri` what is to become a Runtime";
            return refuse(self, at, why);
        };
        let name = self.target_name(at, &target.name)?;
        let Some(Transport::Http(found)) = self.transport(at, target, aws) else { return None };
        if found.endpoint.scheme() != "https" {
            return refuse(
                self,
                &http.at,
                "AgentCore Gateway reaches only `https` URLs: say with `deploy` what is to become a Runtime",
            );
        }
        let client = match self.credential(target.credential.as_ref(), aws, None)? {
            Credential::None => None,
            Credential::ClientCredentials(client) => Some(client),
            Credential::ApiKey(_) | Credential::Sigv4(_) => {
                let at = target.credential.as_ref().map_or(at, |credential| &credential.at);
                return refuse(
                    self,
                    at,
                    "of an MCP server, AgentCore Gateway is given `client_credentials` or nothing here: use that",
                );
            }
        };
        Some(Joined { name, endpoint: found.endpoint, client })
    }
}

fn targets(file: &File) -> impl Iterator<Item = &Located<target_file::Target>> {
    file.targets.iter().flat_map(|targets| &targets.value)
}

fn is_named(target: &target_file::Target, name: &str) -> bool {
    target.name.as_ref().is_some_and(|own| own.value == name)
}

/// What the tables say, without its places.
fn entry(target: &target_file::Target, runtime: &mirror::Runtime) -> Entry {
    let text = |member: &Member<String>| member.as_ref().map(|member| member.value.clone());
    let path = |member: &Member<file::FilePath>| member.as_ref().map(|member| member.value.clone());
    let list = |members: &[Located<String>]| members.iter().map(|member| member.value.clone()).collect();
    Entry {
        name: text(&target.name),
        description: text(&runtime.description),
        entrypoint: path(&runtime.entrypoint),
        requirements_file: path(&runtime.requirements_file),
        source_directory: path(&runtime.source_directory),
        image_uri: text(&runtime.image_uri),
        environment: plain(&runtime.environment),
        log_groups: list(&runtime.log_groups),
        runtime_config: runtime.runtime_config.as_ref().map(|config| plain(&config.value)),
        auto_create_execution_role: None,
        execution_role_arn: text(&runtime.execution_role_arn),
        auto_create_ecr: None,
        ecr_repository: text(&runtime.ecr_repository),
        authorization: runtime.authorization.as_ref().map(|member| member.value).unwrap_or_default(),
        subnet_ids: list(&runtime.subnet_ids),
        security_group_ids: list(&runtime.security_group_ids),
        idle_timeout_seconds: runtime.idle_timeout_seconds.as_ref().map(|member| member.value),
        max_lifetime_seconds: runtime.max_lifetime_seconds.as_ref().map(|member| member.value),
    }
}

fn plain(map: &file::Map<String>) -> BTreeMap<String, String> {
    map.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect()
}

/// Where a member stands; the table, where it does not.
fn place(target: &target_file::Target, runtime: &Located<mirror::Runtime>, member: &str) -> Range<usize> {
    fn at<T>(member: &Member<T>) -> Option<Range<usize>> {
        member.as_ref().map(|member| member.at.clone())
    }
    let first = |members: &[Located<String>]| members.first().map(|member| member.at.clone());
    let it = &runtime.value;
    let found = match member {
        "name" => at(&target.name),
        "entrypoint" => at(&it.entrypoint),
        "requirements_file" => at(&it.requirements_file),
        "source_directory" => at(&it.source_directory),
        "image_uri" => at(&it.image_uri),
        "environment" => it.environment.values().next().map(|value| value.at.clone()),
        "log_groups" => first(&it.log_groups),
        "execution_role_arn" => at(&it.execution_role_arn),
        "ecr_repository" => at(&it.ecr_repository),
        "subnet_ids" => first(&it.subnet_ids),
        "security_group_ids" => first(&it.security_group_ids),
        "idle_timeout_seconds" => at(&it.idle_timeout_seconds),
        "max_lifetime_seconds" => at(&it.max_lifetime_seconds),
        _ => None,
    };
    found.unwrap_or_else(|| runtime.at.clone())
}
