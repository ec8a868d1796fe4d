//! Where an AWS service is: what the environment says, else its public host. Knows no FIPS or dual-stack hosts and does not
//! read `endpoint_url` of a profile.
//!
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>

use std::{fmt, sync::Arc};

use url::Url;

use crate::{arn::Arn, call::label};

/// An AWS service as its callers need to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The first label of its host name.
    pub host: &'static str,
    /// Its name in a signature.
    pub signing_name: &'static str,
    /// Its part of `AWS_ENDPOINT_URL_<SERVICE>`.
    pub variable: &'static str,
    /// For an API of the kind JSON 1.1: what stands before the dot in `X-Amz-Target`.
    pub target: &'static str,
}

impl Service {
    pub const SECRETS_MANAGER: Self = Self {
        host: "secretsmanager",
        signing_name: "secretsmanager",
        variable: "SECRETS_MANAGER",
        target: "secretsmanager",
    };
    pub const COGNITO_IDP: Self = Self {
        host: "cognito-idp",
        signing_name: "cognito-idp",
        variable: "COGNITO_IDENTITY_PROVIDER",
        target: "AWSCognitoIdentityProviderService",
    };
    pub const SSM: Self = Self { host: "ssm", signing_name: "ssm", variable: "SSM", target: "AmazonSSM" };
    /// Its API is neither of the two kinds that are called here: it is for presigned URLs.
    pub const STS: Self = Self { host: "sts", signing_name: "sts", variable: "STS", target: "" };
    /// Runtime's and Gateway's data plane.
    pub const BEDROCK_AGENTCORE: Self = Self {
        host: "bedrock-agentcore",
        signing_name: "bedrock-agentcore",
        variable: "BEDROCK_AGENTCORE",
        target: "",
    };
    pub const BEDROCK_AGENTCORE_CONTROL: Self = Self {
        host: "bedrock-agentcore-control",
        signing_name: "bedrock-agentcore",
        variable: "BEDROCK_AGENTCORE_CONTROL",
        target: "",
    };
}

/// Looks up where services are.
#[derive(Clone)]
pub struct Endpoints(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A variable says something else than a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` is no URL of a service: set it to one that starts with `http://` or `https://`, or not at all")]
pub struct BadEndpoint {
    pub variable: String,
}

impl Endpoints {
    /// `variable` looks up a variable of the environment: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`,
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`.
    pub fn new(variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(variable))
    }

    /// AWS's public hosts.
    pub fn public() -> Self {
        Self::new(|_| None)
    }

    /// The base URL of `service` in `region`; its path, if it has one, stands before that of an operation.
    ///
    /// # Errors
    /// [`BadEndpoint`] if a variable holds no URL with a host.
    pub fn of(&self, service: &Service, region: &str) -> Result<Url, BadEndpoint> {
        let ignored = self.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        if !ignored.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            for variable in [format!("AWS_ENDPOINT_URL_{}", service.variable), "AWS_ENDPOINT_URL".to_owned()] {
                if let Some(value) = self.variable(&variable) {
                    return parsed(&value).ok_or(BadEndpoint { variable });
                }
            }
        }
        let public = format!("https://{}.{region}.{}", service.host, dns_suffix(region));
        // Only a region of which no host can be made gets here.
        parsed(&public).ok_or_else(|| BadEndpoint { variable: "AWS_REGION".to_owned() })
    }

    /// Where AgentCore Runtime is asked for the server that `arn` names (`InvokeAgentRuntime`). `qualifier` is the name of one of
    /// its endpoints, or a version.
    ///
    /// Source: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-mcp.html>
    ///
    /// # Errors
    /// [`BadEndpoint`] if a variable holds no URL with a host.
    pub fn runtime(&self, arn: &Arn, qualifier: &str) -> Result<Url, BadEndpoint> {
        let base = self.of(&Service::BEDROCK_AGENTCORE, &arn.region)?;
        let (base, arn, qualifier) = (base.as_str().trim_end_matches('/'), label(&arn.to_string()), label(qualifier));
        let url = format!("{base}/runtimes/{arn}/invocations?qualifier={qualifier}");
        Ok(url.parse().expect("a URL with more path and query"))
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endpoints")
    }
}

fn parsed(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    (url.has_host() && ["http", "https"].contains(&url.scheme())).then_some(url)
}

/// The public URL of the AgentCore Gateway `id` in `region`; none if no host can be made of them.
///
/// Source: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-using.html>
pub fn gateway_url(id: &str, region: &str) -> Option<Url> {
    let host = format!("{id}.gateway.bedrock-agentcore.{region}.{}", dns_suffix(region));
    // An id that somebody made up may hold a `/`, and would lead to whatever host stands before it.
    parsed(&format!("https://{host}/mcp")).filter(|url| url.host_str() == Some(&host) && url.username().is_empty())
}

/// The domain of the hosts in `region`, which its partition decides.
pub fn dns_suffix(region: &str) -> &'static str {
    const BY_PREFIX: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    let of = BY_PREFIX.iter().find(|(prefix, _)| region.starts_with(prefix));
    of.map_or("amazonaws.com", |(_, suffix)| suffix)
}

/// The region in the host name of a service, such as `x.gateway.bedrock-agentcore.us-east-1.amazonaws.com`.
pub fn region_of_host(host: &str) -> Option<&str> {
    const SUFFIXES: [&str; 11] = [
        // Interface endpoints of a VPC.
        "vpce.amazonaws.com",
        "vpce.amazonaws.com.cn",
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "api.aws",
        "on.aws",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
        "cloud.adc-e.uk",
        "csp.hci.ic.gov",
    ];
    let before = SUFFIXES.iter().find_map(|suffix| host.strip_suffix(suffix)?.strip_suffix('.'))?;
    let (_, last) = before.rsplit_once('.')?;
    is_region(last).then_some(last)
}

/// The regions of all partitions, as AWS's SDKs knew them in November 2026.
///
/// Source: botocore's endpoints.json
pub const REGIONS: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Whether `text` is formed as the name of a region: `us-east-1`, `us-gov-west-1`.
pub fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let number = parts.next().unwrap_or_default();
    let is = |part: &str, fits: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| fits(&byte));
    let words: Vec<_> = parts.collect();
    text.len() <= 32
        && is(number, u8::is_ascii_digit)
        && words.len() >= 2
        && words.iter().all(|word| is(word, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where Secrets Manager is in Frankfurt if the environment is `variables`.
    fn found(variables: &'static [(&str, &str)]) -> String {
        let endpoints = Endpoints::new(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let of = endpoints.of(&Service::SECRETS_MANAGER, "eu-central-1");
        of.map_or_else(|error| error.to_string(), String::from)
    }

    #[test]
    fn variables_stand_before_public_hosts() {
        assert_eq!(found(&[]), "https://secretsmanager.eu-central-1.amazonaws.com/");
        assert_eq!(found(&[("AWS_ENDPOINT_URL", "")]), "https://secretsmanager.eu-central-1.amazonaws.com/");
        assert_eq!(found(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1/x")]), "http://127.0.0.1:1/x");
        let both = [("AWS_ENDPOINT_URL", "http://all/"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://one/")];
        assert_eq!(found(Box::leak(Box::new(both))), "http://one/");
        let ignored = [("AWS_ENDPOINT_URL", "http://all/"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(found(Box::leak(Box::new(ignored))), "https://secretsmanager.eu-central-1.amazonaws.com/");
    }

    #[test]
    fn a_variable_that_is_no_url_is_named() {
        let expected = "`AWS_ENDPOINT_URL` is no URL of a service: set it to one that starts with `http://` or \
                        `https://`, or not at all";
        assert_eq!(found(&[("AWS_ENDPOINT_URL", "localhost:4566")]), expected);
    }

    #[test]
    fn a_host_name_may_hold_a_region() {
        for (host, region) in [
            ("bedrock-agentcore.us-east-1.amazonaws.com", Some("us-east-1")),
            ("x.gateway.bedrock-agentcore.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("a.execute-api.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("a.lambda-url.eu-central-1.on.aws", Some("eu-central-1")),
            ("vpce-0a1b-2c3d.bedrock-agentcore.us-east-1.vpce.amazonaws.com", Some("us-east-1")),
            ("sts.amazonaws.com", None),
            ("us-east-1.amazonaws.com", None),
            ("a.us-east-1.amazonaws.com.example.com", None),
            ("a.us-east-1.notamazonaws.com", None),
            ("127.0.0.1", None),
        ] {
            assert_eq!(region_of_host(host), region, "{host}");
        }
        assert!(!is_region("us-east") && !is_region("US-EAST-1") && !is_region("us--1") && !is_region("1"));
    }

    #[test]
    fn no_id_leads_to_another_host() {
        let url = gateway_url("tools-a1b2c3d4e5", "us-east-1").unwrap();
        assert_eq!(url.as_str(), "https://tools-a1b2c3d4e5.gateway.bedrock-agentcore.us-east-1.amazonaws.com/mcp");
        for id in
            ["evil.example/", "evil.example?", "evil.example#", "evil.example\\", "user@", "u:p@x", "evil.example:443/"]
        {
            assert_eq!(gateway_url(id, "us-east-1"), None, "{id}");
        }
    }

    #[test]
    fn each_partition_has_its_domain() {
        let of = |region| Endpoints::public().of(&Service::SSM, region).unwrap().to_string();
        assert_eq!(of("cn-north-1"), "https://ssm.cn-north-1.amazonaws.com.cn/");
        assert_eq!(of("us-gov-west-1"), "https://ssm.us-gov-west-1.amazonaws.com/");
        assert_eq!(of("us-isob-east-1"), "https://ssm.us-isob-east-1.sc2s.sgov.gov/");
    }
}
