//! Resolves which AWS principals may call. Asks nothing of AWS.

use std::{collections::HashSet, ops::Range, time::Duration};

use causeway_aws::{
    Arn,
    endpoint::{Endpoints, Service, is_region},
};
use url::Url;

use super::{
    super::{
        AccessKey, AwsIam, CallerIdentity,
        file::authorizer as file,
        is_loopback,
        located::{Located, Member},
    },
    Resolver,
};

const TABLE: &str = "authorizer.aws_iam";
/// A signature that is older proves little.
const MOST_SKEW_SECONDS: u64 = 900;

impl Resolver<'_> {
    pub(super) fn aws_iam(&mut self, iam: &Located<file::AwsIam>) -> Option<AwsIam> {
        let (at, iam) = (&iam.at, &iam.value);
        let region = self.required(at, &format!("{TABLE}.region"), &iam.region, "\"us-east-1\"");
        let region = region.and_then(|region| self.region(&format!("{TABLE}.region"), region));
        let service = self.filled(&format!("{TABLE}.service"), &iam.service).unwrap_or(file::SERVICE).to_owned();
        let name = format!("{TABLE}.clock_skew_seconds");
        let skew = self.number(&name, &iam.clock_skew_seconds, 0..=MOST_SKEW_SECONDS, file::SIGNATURE_SKEW_SECONDS);
        let keys: Vec<_> = iam.access_keys.iter().map(|key| self.access_key(key)).collect();
        self.once(&iam.access_keys);
        let identity = iam.caller_identity.as_ref().map(|it| self.caller_identity(it, region.as_deref()));
        if keys.is_empty() && identity.is_none() {
            let message = format!(
                "`{TABLE}` lets nobody in; write at least one `[[{TABLE}.access_keys]]` or a `[{TABLE}.caller_identity]`"
            );
            self.missing(at, &["access_keys", "caller_identity"], message);
        }
        Some(AwsIam {
            region: region?,
            service,
            clock_skew: Duration::from_secs(skew),
            // What `gateway` says is known later.
            host: None,
            access_keys: keys.into_iter().collect::<Option<_>>()?,
            caller_identity: match identity {
                Some(identity) => Some(identity?),
                None => None,
            },
        })
    }

    /// The name of an AWS region.
    pub(super) fn region(&mut self, name: &str, member: &Located<String>) -> Option<String> {
        if !is_region(&member.value) {
            self.findings.report(&member.at, format!("`{name}` is no AWS region; write one such as `us-east-1`"));
            return None;
        }
        Some(member.value.clone())
    }

    fn access_key(&mut self, key: &Located<file::AccessKey>) -> Option<AccessKey> {
        let (at, key) = (&key.at, &key.value);
        let table = format!("{TABLE}.access_keys");
        let name = format!("{table}.access_key_id");
        let id = self.required(at, &name, &key.access_key_id, "\"AKIA…\"");
        self.filled(&name, &key.access_key_id);
        let name = format!("{table}.secret_access_key");
        let here = (&key.secret_access_key_env, &key.secret_access_key_file);
        let kept = (&key.secret_access_key_arn, &key.secret_access_key_json_key);
        let secret = self.secret_source(at, &name, here, kept);
        let name = format!("{table}.principal");
        let principal = self.required(at, &name, &key.principal, "\"arn:aws:iam::123456789012:user/alice\"");
        if let Some(principal) = principal {
            self.principal(&name, principal, "an ARN of IAM", false);
        }
        Some(AccessKey {
            access_key_id: id?.value.clone(),
            secret_access_key: secret?,
            principal: principal?.value.clone(),
        })
    }

    /// Reports access keys that stand there twice: only one secret can be theirs.
    fn once(&mut self, keys: &[Located<file::AccessKey>]) {
        let mut seen = HashSet::new();
        for id in keys.iter().filter_map(|key| key.value.access_key_id.as_ref()) {
            if !seen.insert(&id.value) {
                let message = format!("`{TABLE}.access_keys` has the access key a second time; leave one of them out");
                self.findings.report(&id.at, message);
            }
        }
    }

    fn caller_identity(
        &mut self,
        identity: &Located<file::CallerIdentity>,
        region: Option<&str>,
    ) -> Option<CallerIdentity> {
        let (at, identity) = (&identity.at, &identity.value);
        let table = format!("{TABLE}.caller_identity");
        let gateway_id = self.gateway_id(&format!("{table}.gateway_id"), at, &identity.gateway_id);
        let name = format!("{table}.allowed_principals");
        let example = "[\"arn:aws:iam::123456789012:role/developers\"]";
        let principals = self.required(at, &name, &identity.allowed_principals, example);
        if let Some(principals) = principals {
            if principals.value.is_empty() {
                self.findings.report(&principals.at, format!("`{name}` lets nobody in; write `{example}`"));
            }
            let takes = "ARNs of IAM or STS, with a `*` at the end alone";
            for principal in &principals.value {
                self.principal(&name, principal, takes, true);
                self.no_pattern_of_roles(&name, principal);
            }
        }
        let name = format!("{table}.endpoint");
        let endpoint = match &identity.endpoint {
            Some(endpoint) => self.sts(&name, endpoint),
            None => region.and_then(|region| Endpoints::public().of(&Service::STS, region).ok()),
        };
        Some(CallerIdentity {
            gateway_id: gateway_id?,
            allowed_principals: principals?.value.iter().map(|principal| principal.value.clone()).collect(),
            endpoint: endpoint?,
        })
    }

    /// Who answers there says who calls, so nobody may stand between.
    fn sts(&mut self, name: &str, endpoint: &Located<String>) -> Option<Url> {
        let url = self.url(name, endpoint, "https://sts.us-east-1.amazonaws.com/")?;
        if url.scheme() != "https" && !is_loopback(&url) {
            let message = format!("`{name}` must begin with `https://`, since who answers there says who calls");
            self.findings.report(&endpoint.at, message);
        }
        Some(url)
    }

    /// It travels in a header.
    fn gateway_id(&mut self, name: &str, at: &Range<usize>, member: &Member<String>) -> Option<String> {
        let id = self.required(at, name, member, "\"tools.example.com\"")?;
        let fits = !id.value.is_empty() && id.value.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            let message =
                format!("`{name}` takes letters, digits and signs without spaces; write it like `tools.example.com`");
            self.findings.report(&id.at, message);
        }
        fits.then(|| id.value.clone())
    }

    /// Reports a role's ARN with a `*` at the end. STS names sessions, and those without their role's path, so nobody fits it.
    fn no_pattern_of_roles(&mut self, name: &str, principal: &Located<String>) {
        let arn = principal.value.strip_suffix('*').and_then(|begin| begin.parse::<Arn>().ok());
        if arn.is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/")) {
            let message = format!(
                "`{name}` takes a role whole, without a `*`; write its whole ARN, or one of sessions such as \
                 `arn:aws:sts::123456789012:assumed-role/dev*`"
            );
            self.findings.report(&principal.at, message);
        }
    }

    /// Reports a text that is no ARN, or one with a `*` elsewhere than at the end, or at all.
    fn principal(&mut self, name: &str, principal: &Located<String>, takes: &str, pattern: bool) {
        let text = &principal.value;
        let exact = if pattern { text.strip_suffix('*').unwrap_or(text) } else { text };
        if text.parse::<Arn>().is_err() || exact.contains('*') {
            let message = format!("`{name}` takes {takes}; write it like `arn:aws:iam::123456789012:role/developers`");
            self.findings.report(&principal.at, message);
        }
    }
}
