//! AWS regions of a configuration that are formed as one but that AWS does not have: most likely a slip. A region that is newer
//! than this program is one too, so nothing is refused for it.

use std::{collections::BTreeMap, fmt};

use causeway_aws::endpoint::{REGIONS, region_of_host};
use causeway_core::nearest::nearest;

use crate::config::{Authorizer, Config, Credential, Transport};

/// One that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// Where it stands.
    pub(super) place: String,
    pub(super) region: String,
    pub(super) nearest: Option<&'static str>,
}

/// Those of `config`, each once.
pub(super) fn unknown(config: &Config) -> Vec<Unknown> {
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    let mut note = |place: String, region: Option<&str>| {
        if let Some(region) = region {
            named.entry(region.to_owned()).or_insert(place);
        }
    };
    note("`aws.region`".into(), config.aws.identity.region.as_deref());
    for (_, authorizer) in config.authorizers() {
        let Authorizer::AwsIam(iam) = authorizer else { continue };
        note("`authorizer.aws_iam.region`".into(), Some(&iam.region));
    }
    for target in &config.targets {
        if let Transport::Http(http) = &target.transport {
            for url in [&http.endpoint].into_iter().chain(&http.further) {
                note(format!("the address of target `{}`", target.name), url.host_str().and_then(region_of_host));
            }
        }
        if let Credential::Sigv4(sigv4) = &target.credential {
            note(format!("`credential.sigv4.region` of target `{}`", target.name), sigv4.region.as_deref());
        }
    }
    let strange = named.into_iter().filter(|(region, _)| !REGIONS.contains(&region.as_str()));
    strange.map(|(region, place)| Unknown { place, nearest: nearest(&region, REGIONS), region }).collect()
}

/// The region that `place` names, if AWS has none such.
pub(super) fn doubted(place: &str, region: &str) -> Option<Unknown> {
    let strange = !REGIONS.contains(&region);
    strange.then(|| Unknown { place: place.into(), nearest: nearest(region, REGIONS), region: region.into() })
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AWS had no region `{}` when this program was made, but {} names it", self.region, self.place)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Draft, Environment};

    #[test]
    fn slips_are_found_wherever_they_are() {
        let text = r#"
            authorizer = "none"
            aws.region = "us-esat-1"
            [[targets]]
            name = "a"
            http.runtime_arn = "arn:aws:bedrock-agentcore:eu-wset-1:123456789012:runtime/a-a1b2c3d4e5"
            credential.sigv4 = {}
            [[targets]]
            name = "b"
            http.endpoint = "https://b.example.com/mcp"
            credential.sigv4.region = "eu-west-1"
        "#;
        let environment = Environment::of::<&str, &str>([]);
        let config = Draft::parse(Path::new("config.toml"), text).unwrap().resolve(&environment).unwrap();
        let said: Vec<String> = unknown(&config).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @"
        AWS had no region `eu-wset-1` when this program was made, but the address of target `a` names it; did you mean `eu-west-1`?
        AWS had no region `us-esat-1` when this program was made, but `aws.region` names it; did you mean `us-east-1`?
        ");
    }
}
