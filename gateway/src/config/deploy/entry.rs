//! One server to deploy, as somebody wrote it: a table of config.toml or an object of `--runtime-configs`. Reports everything that is
//! wrong with it at once.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use causeway_aws::Arn;
use serde::Deserialize;

use super::{
    Authorization, Server, Source, check_runtime_name,
    path::{self, Kind},
};

/// Variables of one Runtime: AgentCore takes 50, and three are the deployment's own.
const ENVIRONMENT: usize = 47;
/// Seconds that AgentCore takes for both times.
const SECONDS: RangeInclusive<u64> = 60..=1_209_600;

/// Every member, none of them checked. Names are those of the toolkit that `--runtime-configs` comes from, and of the Terraform
/// variables.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entry {
    pub name: Option<String>,
    pub description: Option<String>,
    pub entrypoint: Option<PathBuf>,
    pub requirements_file: Option<PathBuf>,
    pub source_directory: Option<PathBuf>,
    pub image_uri: Option<String>,
    pub environment: BTreeMap<String, String>,
    pub log_groups: Vec<String>,
    pub runtime_config: Option<BTreeMap<String, String>>,
    pub auto_create_execution_role: Option<bool>,
    pub execution_role_arn: Option<String>,
    pub auto_create_ecr: Option<bool>,
    pub ecr_repository: Option<String>,
    pub authorization: Authorization,
    pub subnet_ids: Vec<String>,
    pub security_group_ids: Vec<String>,
    pub idle_timeout_seconds: Option<u64>,
    pub max_lifetime_seconds: Option<u64>,
}

/// How an entry is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Where relative paths start.
    pub directory: &'a Path,
    /// Whether the files must be there: who only serves has none of them.
    pub files: bool,
    /// Put before members in messages.
    pub prefix: &'a str,
}

/// Something is wrong with one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its name; `""` is the entry as a whole.
    pub member: &'static str,
    pub message: String,
}

/// What was found so far.
struct Findings<'a> {
    look: Look<'a>,
    wrong: Vec<Wrong>,
}

impl Entry {
    /// The server that it describes.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn server(&self, look: Look<'_>) -> Result<Server, Vec<Wrong>> {
        let mut findings = Findings { look, wrong: Vec::new() };
        let name = findings.name(self.name.as_deref());
        let source = findings.source(self);
        findings.role(self);
        findings.repository(self);
        findings.environment(self);
        findings.log_groups(&self.log_groups);
        findings.network(self);
        findings.times(self);
        match (name, source) {
            (Some(name), Some(source)) if findings.wrong.is_empty() => Ok(self.made(name, source)),
            _ => Err(findings.wrong),
        }
    }

    fn made(&self, name: String, source: Source) -> Server {
        Server {
            name,
            description: self.description.clone().unwrap_or_default(),
            source,
            environment: self.environment.clone(),
            log_groups: self.log_groups.clone(),
            runtime_config: self.runtime_config.clone(),
            execution_role_arn: self.execution_role_arn.clone(),
            ecr_repository: self.ecr_repository.clone(),
            authorization: self.authorization,
            subnet_ids: self.subnet_ids.clone(),
            security_group_ids: self.security_group_ids.clone(),
            idle_timeout_seconds: self.idle_timeout_seconds,
            max_lifetime_seconds: self.max_lifetime_seconds,
        }
    }
}

impl Findings<'_> {
    /// `what` is said of the member.
    fn say(&mut self, member: &'static str, what: &str) {
        let message = format!("`{}{member}` {what}", self.look.prefix);
        self.wrong.push(Wrong { member, message });
    }

    fn say_of_all(&mut self, message: String) {
        self.wrong.push(Wrong { member: "", message });
    }

    fn name(&mut self, name: Option<&str>) -> Option<String> {
        let Some(name) = name else {
            self.wrong.push(Wrong {
                member: "name",
                message: "`name` is missing; write `my-calculator`, for example".into(),
            });
            return None;
        };
        match check_runtime_name(name) {
            Ok(()) => Some(name.to_owned()),
            Err(why) => {
                self.wrong.push(Wrong { member: "name", message: format!("`{name}` {why}") });
                None
            }
        }
    }

    fn path(&mut self, member: &'static str, path: &Path, kind: Kind) -> Option<PathBuf> {
        let checked = path::check(path, self.look.directory, kind, self.look.files);
        checked.map_err(|why| self.say(member, &why)).ok()
    }

    fn source(&mut self, entry: &Entry) -> Option<Source> {
        let python = entry.entrypoint.is_some() || entry.requirements_file.is_some();
        let said = [python, entry.source_directory.is_some(), entry.image_uri.is_some()];
        let prefix = self.look.prefix;
        match said.iter().filter(|said| **said).count() {
            0 => self.say_of_all(format!(
                "nothing says what to run: write `{prefix}entrypoint` and `{prefix}requirements_file` for a Python server, \
                 `{prefix}source_directory` for a directory with a Dockerfile, or `{prefix}image_uri` for an image in ECR"
            )),
            1 => {}
            _ => self.say_of_all(format!(
                "more than one of `{prefix}entrypoint`, `{prefix}source_directory` and `{prefix}image_uri` says what to run; leave \
                 all but one out"
            )),
        }
        let python = if python { self.python(entry) } else { None };
        let directory = entry.source_directory.as_deref();
        let directory =
            directory.and_then(|path| self.path("source_directory", path, Kind::DirectoryWith("Dockerfile")));
        let image = entry.image_uri.as_deref().and_then(|image| self.image(image));
        python.or(directory.map(Source::Directory)).or(image.map(Source::Image))
    }

    fn python(&mut self, entry: &Entry) -> Option<Source> {
        let entrypoint = match &entry.entrypoint {
            Some(path) => self.path("entrypoint", path, Kind::File("py")),
            None => {
                self.say("entrypoint", "is missing beside `requirements_file`; name the server's `.py` file");
                None
            }
        };
        let requirements = match &entry.requirements_file {
            Some(path) => self.path("requirements_file", path, Kind::File("txt")),
            None => {
                self.say("requirements_file", "is missing; name the `.txt` file with what the server needs from PyPI");
                None
            }
        };
        Some(Source::Python { entrypoint: entrypoint?, requirements: requirements? })
    }

    /// ECR alone: AgentCore Runtime takes images from nowhere else.
    fn image(&mut self, image: &str) -> Option<String> {
        let named = image.split_once('/').is_some_and(|(host, rest)| {
            let own = host.split_once(".dkr.ecr.").is_some_and(|(account, rest)| {
                is_account(account) && (rest.ends_with(".amazonaws.com") || rest.ends_with(".amazonaws.com.cn"))
            });
            (own || host == "public.ecr.aws") && rest.contains([':', '@'])
        });
        if !named {
            let example = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-server:1.0";
            self.say("image_uri", &format!("is no image in ECR with its tag or digest; write it like `{example}`"));
        }
        named.then(|| image.to_owned())
    }

    fn role(&mut self, entry: &Entry) {
        let is_role =
            |arn: &str| arn.parse::<Arn>().is_ok_and(|arn| arn.service == "iam" && arn.resource_of("role").is_some());
        match (&entry.execution_role_arn, entry.auto_create_execution_role) {
            (None, Some(false)) => self.say(
                "execution_role_arn",
                "is missing: with `auto_create_execution_role` false, name the role that is there",
            ),
            (Some(_), Some(true)) => self.say(
                "execution_role_arn",
                "and `auto_create_execution_role` true contradict each other; leave one of them out",
            ),
            (Some(arn), _) if !is_role(arn) => self
                .say("execution_role_arn", "names no role; write it like `arn:aws:iam::123456789012:role/my-server`"),
            _ => {}
        }
    }

    fn repository(&mut self, entry: &Entry) {
        match (&entry.ecr_repository, entry.auto_create_ecr) {
            (None, Some(false)) if entry.image_uri.is_none() => self.say(
                "ecr_repository",
                "is missing: with `auto_create_ecr` false, name the repository that is there, or an image with `image_uri`",
            ),
            (Some(_), Some(true)) => {
                self.say("ecr_repository", "and `auto_create_ecr` true contradict each other; leave one of them out");
            }
            (Some(_), _) if entry.image_uri.is_some() => {
                self.say("ecr_repository", "has no effect beside `image_uri`; leave it out");
            }
            (Some(name), _) if name.is_empty() || name.contains("://") || name.contains('.') && name.contains('/') => {
                self.say("ecr_repository", "takes the name of a repository, such as `team/my-server`, not its URI");
            }
            _ => {}
        }
    }

    fn environment(&mut self, entry: &Entry) {
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        for name in entry.environment.keys().filter(|name| !is_name(name)) {
            self.say(
                "environment",
                &format!("names `{name}`, which is no variable: use letters, digits and underscores"),
            );
        }
        if entry.environment.len() > ENVIRONMENT {
            self.say("environment", &format!("has more than {ENVIRONMENT} variables, which Runtime does not take"));
        }
    }

    fn log_groups(&mut self, groups: &[String]) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte);
        for group in groups {
            let name = group.strip_suffix('*').unwrap_or(group);
            if name.is_empty() || group.len() > 512 || !name.bytes().all(allowed) {
                let what = "which is no log group: write a name, such as `/aws/lambda/orders`, or the beginning of names and a star, \
                            such as `/ecs/*`";
                self.say("log_groups", &format!("names `{group}`, {what}"));
            }
        }
    }

    fn network(&mut self, entry: &Entry) {
        let lists =
            [("subnet_ids", &entry.subnet_ids, "subnet-"), ("security_group_ids", &entry.security_group_ids, "sg-")];
        for (member, ids, begins) in lists {
            let is_id = |id: &&String| {
                id.strip_prefix(begins)
                    .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|it| it.is_ascii_hexdigit()))
            };
            for id in ids.iter().filter(|id| !is_id(id)) {
                self.say(member, &format!("names `{id}`; an id is like `{begins}0a1b2c3d`"));
            }
        }
        if entry.subnet_ids.is_empty() != entry.security_group_ids.is_empty() {
            let missing = if entry.subnet_ids.is_empty() { "subnet_ids" } else { "security_group_ids" };
            self.say(missing, "is missing: a Runtime in a VPC has both subnets and security groups; leave both out for the public network");
        }
    }

    fn times(&mut self, entry: &Entry) {
        let (idle, most) = (entry.idle_timeout_seconds, entry.max_lifetime_seconds);
        for (member, seconds) in [("idle_timeout_seconds", idle), ("max_lifetime_seconds", most)] {
            if seconds.is_some_and(|seconds| !SECONDS.contains(&seconds)) {
                self.say(member, &format!("takes {} to {}", SECONDS.start(), SECONDS.end()));
            }
        }
        if let (Some(idle), Some(most)) = (idle, most)
            && idle > most
        {
            self.say("idle_timeout_seconds", "is longer than `max_lifetime_seconds`; write at most that");
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(json: &str) -> Vec<String> {
        let entry: Entry = serde_json::from_str(json).unwrap();
        let look = Look { directory: Path::new("/srv"), files: false, prefix: "" };
        entry.server(look).unwrap_err().into_iter().map(|it| it.message).collect()
    }

    #[test]
    fn a_path_is_in_full() {
        let entry = Entry {
            name: Some("calculator".into()),
            entrypoint: Some("calculator/server.py".into()),
            requirements_file: Some("/etc/requirements.txt".into()),
            ..Entry::default()
        };
        let server = entry.server(Look { directory: Path::new("/srv"), files: false, prefix: "" }).unwrap();
        let (entrypoint, requirements) = ("/srv/calculator/server.py".into(), "/etc/requirements.txt".into());
        assert_eq!(server.source, Source::Python { entrypoint, requirements });
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let found = wrong(
            r#"{"name": "my_server", "entrypoint": "../server.py", "requirements_file": "requirements.toml",
                "environment": {"A-B": "x"}, "log_groups": ["*"], "subnet_ids": ["subnet-1"],
                "auto_create_execution_role": false, "auto_create_ecr": false,
                "idle_timeout_seconds": 100, "max_lifetime_seconds": 60}"#,
        );
        insta::assert_snapshot!(found.join("\n"), @r#"
        `my_server` is no name of a runtime: use a letter, then letters and digits with single hyphens between them, 2 to 48 in all, for example `my-calculator`
        `entrypoint` holds `..`, which could lead anywhere; write it in full, or from the directory where it starts
        `requirements_file` must end in `.txt`; name the file that does
        `execution_role_arn` is missing: with `auto_create_execution_role` false, name the role that is there
        `ecr_repository` is missing: with `auto_create_ecr` false, name the repository that is there, or an image with `image_uri`
        `environment` names `A-B`, which is no variable: use letters, digits and underscores
        `log_groups` names `*`, which is no log group: write a name, such as `/aws/lambda/orders`, or the beginning of names and a star, such as `/ecs/*`
        `security_group_ids` is missing: a Runtime in a VPC has both subnets and security groups; leave both out for the public network
        `idle_timeout_seconds` is longer than `max_lifetime_seconds`; write at most that
        "#);
    }

    #[test]
    fn one_thing_says_what_to_run() {
        let image = r#""image_uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1""#;
        let both = wrong(&format!(r#"{{"name": "ab", "source_directory": "a", {image}}}"#));
        assert!(both.len() == 1 && both[0].starts_with("more than one of"), "{both:?}");
        assert!(wrong(r#"{"name": "ab"}"#)[0].starts_with("nothing says what to run"));
        assert!(wrong(r#"{"name": "ab", "image_uri": "docker.io/a:1"}"#)[0].contains("no image in ECR"));
        assert!(
            wrong(&format!(r#"{{"name": "ab", {image}, "execution_role_arn": "role"}}"#))[0].contains("names no role")
        );
    }
}
