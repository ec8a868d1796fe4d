//! The address of an AgentCore Runtime, taken apart into its ARN and its qualifier, where these say all of it. Asks nobody whether it
//! is there.

use causeway_aws::{arn::Arn, endpoint::dns_suffix};
use url::{Host, Url};

use crate::address::runtime_of;

/// A Runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Runtime {
    pub(super) arn: Arn,
    /// An endpoint's name or a version.
    pub(super) qualifier: Option<String>,
}

impl Runtime {
    /// None if `endpoint` is anything but the public invocations URL of the region that the ARN names, or says more.
    pub(super) fn of(endpoint: &str) -> Option<Self> {
        let url = Url::parse(endpoint).ok().filter(|url| url.scheme() == "https" && url.port().is_none())?;
        let Host::Domain(host) = url.host()? else { return None };
        let (arn, qualifier) = runtime_of(&url)?;
        let region = arn.region()?;
        let own = format!("bedrock-agentcore.{region}.{}", dns_suffix(region));
        let says_no_more =
            url.path_segments()?.count() == 3 && url.query_pairs().count() == usize::from(qualifier.is_some());
        (host == own && says_no_more).then_some(Self { arn, qualifier })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/tools-a1b2c3d4e5";
    const ENCODED: &str = "arn%3Aaws%3Abedrock-agentcore%3Aus-west-2%3A123456789012%3Aruntime%2Ftools-a1b2c3d4e5";

    fn check(endpoint: &str, expected: Option<(&str, Option<&str>)>) {
        let runtime = Runtime::of(endpoint).map(|it| (it.arn.to_string(), it.qualifier));
        let expected = expected.map(|(arn, qualifier)| (arn.to_owned(), qualifier.map(ToOwned::to_owned)));
        assert_eq!(runtime, expected, "{endpoint}");
    }

    #[test]
    fn invocation_urls_are_taken_apart() {
        let base = format!("https://bedrock-agentcore.us-west-2.amazonaws.com/runtimes/{ENCODED}/invocations");
        check(&base, Some((ARN, None)));
        check(&format!("{base}?qualifier=DEFAULT"), Some((ARN, Some("DEFAULT"))));
        check(&base.replace("%3A", "%3a").replace("%2F", "%2f"), Some((ARN, None)));
    }

    #[test]
    fn other_addresses_stay_addresses() {
        let base = format!("https://bedrock-agentcore.us-west-2.amazonaws.com/runtimes/{ENCODED}/invocations");
        for endpoint in [
            &format!("{base}?qualifier=A&accountId=1"),
            &format!("{base}/more"),
            &base.replace("https:", "http:"),
            &base.replace("bedrock-agentcore.us-west-2", "bedrock-agentcore.us-east-1"),
            &base.replace("amazonaws.com", "example.com"),
            &base.replace("amazonaws.com", "amazonaws.com:8443"),
            &base.replace(ENCODED, "tools-a1b2c3d4e5"),
            &base.replace("%2Ftools", "x%2Ftools"),
            "https://tools.example.com/mcp",
            "no URL",
        ] {
            check(endpoint, None);
        }
    }
}
