//! Resolves what is about AWS: who the gateway is there, and how it signs. Asks nothing of AWS.

use causeway_aws::{
    Arn,
    endpoint::{Endpoints, is_region},
    identity::{Role, Settings},
    secret::{Reference as SecretReference, ReferenceError},
};
use url::Url;

use super::{
    super::{
        Aws, Sigv4,
        environment::{Environment, Reference},
        file,
        located::{Located, Member},
    },
    Resolver,
};

const SIGV4: &str = "credential.sigv4";

impl Resolver<'_> {
    pub(super) fn aws(&mut self, section: Option<&Located<file::Aws>>) -> Aws {
        let default = file::Aws::default();
        let aws = section.map_or(&default, |section| &section.value);
        let region = aws.region.as_ref().and_then(|region| self.region("aws.region", region));
        let profile = self.filled("aws.profile", &aws.profile).map(str::to_owned);
        let refresh = file::aws::SECRET_REFRESH_SECONDS;
        let secret_refresh = self.seconds("aws.secret_refresh_seconds", &aws.secret_refresh_seconds, refresh);
        let identity = Settings { profile, region, role: None };
        Aws { identity, endpoints: endpoints(self.environment), secret_refresh }
    }

    /// A secret by the ARN that a member holds.
    pub(super) fn secret_arn(&mut self, name: &str, arn: &Located<String>) -> Option<SecretReference> {
        let parsed = arn.value.parse();
        let example = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tools-AbCdEf";
        match parsed {
            Ok(reference) => return Some(reference),
            // A secret in the wrong place is not repeated.
            Err(ReferenceError::Arn(_)) => {
                self.findings.report(&arn.at, format!("`{name}` takes the ARN of a secret; write it like `{example}`"));
            }
            Err(why) => self.findings.report(&arn.at, format!("`{name}`: {why}")),
        }
        None
    }

    /// How `sigv4` signs. `own` is the region that the target itself names.
    pub(super) fn sigv4(&mut self, sigv4: &Located<file::Sigv4>, aws: &Aws, own: Option<&str>) -> Option<Sigv4> {
        let sigv4 = &sigv4.value;
        let service = self.service(&sigv4.service).unwrap_or(file::aws::SERVICE).to_owned();
        let region = sigv4.region.as_ref().and_then(|region| self.region(&format!("{SIGV4}.region"), region));
        let region = region.or_else(|| own.map(str::to_owned));
        let profile = self.filled(&format!("{SIGV4}.profile"), &sigv4.profile).map(str::to_owned);
        let role = self.role(sigv4)?;
        let identity = Settings {
            profile: profile.or_else(|| aws.identity.profile.clone()),
            region: region.clone().or_else(|| aws.identity.region.clone()),
            role,
        };
        Some(Sigv4 { service, region, identity })
    }

    /// Where AgentCore Runtime is asked for the server that `arn` names.
    pub(super) fn runtime(&mut self, arn: &Located<String>, qualifier: &Member<String>, aws: &Aws) -> Option<Url> {
        let qualifier = self.filled("http.qualifier", qualifier).unwrap_or(file::target::QUALIFIER).to_owned();
        let example = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/tools-a1b2c3d4e5";
        let is_runtime = |arn: &Arn| {
            let id = arn.resource_of("runtime").filter(|id| !id.contains('/'));
            arn.service == "bedrock-agentcore" && !arn.account.is_empty() && id.is_some()
        };
        let why = match arn.value.parse::<Arn>() {
            Ok(parsed) if is_runtime(&parsed) && parsed.region().is_some_and(is_region) => {
                let url = aws.endpoints.runtime(&parsed, &qualifier);
                return url.map_err(|why| self.findings.report(&arn.at, format!("`http.runtime_arn`: {why}"))).ok();
            }
            Ok(_) => "names no AgentCore Runtime".to_owned(),
            Err(why) => format!("names no AgentCore Runtime: {why}"),
        };
        self.findings.report(&arn.at, format!("`http.runtime_arn` {why}; write it like `{example}`"));
        None
    }

    fn service<'m>(&mut self, member: &'m Member<String>) -> Option<&'m str> {
        let service = member.as_ref()?;
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if service.value.is_empty() || !service.value.bytes().all(fits) {
            let message =
                format!("`{SIGV4}.service` is no signing name; write one such as `bedrock-agentcore` or `lambda`");
            self.findings.report(&service.at, message);
        }
        Some(&service.value)
    }

    /// `Some(None)` where none is to be assumed.
    fn role(&mut self, sigv4: &file::Sigv4) -> Option<Option<Role>> {
        let external_id = self.filled(&format!("{SIGV4}.external_id"), &sigv4.external_id).map(str::to_owned);
        let session_name = self.session_name(&sigv4.session_name);
        let Some(arn) = &sigv4.role_arn else {
            for (key, member) in [("external_id", &sigv4.external_id), ("session_name", &sigv4.session_name)] {
                if let Some(member) = member {
                    let message = format!("`{SIGV4}.{key}` has no effect without `role_arn`; leave it out");
                    self.findings.report(&member.at, message);
                }
            }
            return Some(None);
        };
        let is_role = |arn: &Arn| arn.service == "iam" && !arn.account.is_empty() && arn.resource_of("role").is_some();
        let why = match arn.value.parse::<Arn>() {
            Ok(parsed) if is_role(&parsed) => {
                return Some(Some(Role { arn: arn.value.clone(), external_id, session_name }));
            }
            Ok(_) => "names no role".to_owned(),
            Err(why) => format!("names no role: {why}"),
        };
        let message = format!("`{SIGV4}.role_arn` {why}; write it like `arn:aws:iam::123456789012:role/gateway`");
        self.findings.report(&arn.at, message);
        None
    }

    fn session_name(&mut self, member: &Member<String>) -> Option<String> {
        let name = member.as_ref()?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if !(2..=64).contains(&name.value.len()) || !name.value.bytes().all(fits) {
            let message = format!(
                "`{SIGV4}.session_name` takes 2 to 64 letters, digits and `_+=,.@-`; write one such as `causeway`"
            );
            self.findings.report(&name.at, message);
        }
        Some(name.value.clone())
    }
}

/// Where AWS's services are, by the variables of the environment.
fn endpoints(environment: &Environment) -> Endpoints {
    let environment = environment.clone();
    Endpoints::new(move |name| environment.look_up(Reference::Variable(name)).ok().map(|it| it.expose().to_owned()))
}
