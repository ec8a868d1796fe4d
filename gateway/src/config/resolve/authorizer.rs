//! Resolves who may call. Verifies no token.

use std::{ops::Range, time::Duration};

use causeway_core::authorizer::{Authorizer as Rules, ClaimMatch, CustomClaim, TokenUse};

use super::{
    super::{
        Authorizer, CustomJwt,
        file::authorizer as file,
        findings::ROOT,
        located::{Located, Member},
    },
    Resolver,
};

/// AgentCore states no bound; more than ten minutes is a broken clock.
const MOST_SKEW_SECONDS: u64 = 600;

impl Resolver<'_> {
    pub(super) fn authorizer(&mut self, member: Option<&Located<file::Authorizer>>) -> Option<Authorizer> {
        match member.map(|member| &member.value) {
            Some(file::Authorizer::None) => Some(Authorizer::None),
            Some(file::Authorizer::CustomJwt(jwt)) => self.custom_jwt(jwt).map(Authorizer::CustomJwt),
            Some(file::Authorizer::AwsIam(iam)) => self.aws_iam(iam).map(Authorizer::AwsIam),
            None => {
                if !self.findings.took_out(&ROOT, &["authorizer"]) {
                    self.findings.report_for_file(
                        "`authorizer` is missing; write a table `[authorizer.custom_jwt]` or `[authorizer.aws_iam]` that says \
                         who may call, or `authorizer = \"none\"` above the first table to serve this machine without tokens",
                    );
                }
                None
            }
        }
    }

    fn custom_jwt(&mut self, jwt: &Located<file::CustomJwt>) -> Option<CustomJwt> {
        const DISCOVERY_URL: &str = "authorizer.custom_jwt.discovery_url";
        let (at, jwt) = (&jwt.at, &jwt.value);
        let example = "\"https://…/.well-known/openid-configuration\"";
        let discovery_url = self
            .required(at, DISCOVERY_URL, &jwt.discovery_url, example)
            .and_then(|url| self.discovery_url(DISCOVERY_URL, url));
        let allowed = 0..=MOST_SKEW_SECONDS;
        let name = "authorizer.custom_jwt.clock_skew_seconds";
        let skew = self.number(name, &jwt.clock_skew_seconds, allowed, file::CLOCK_SKEW_SECONDS);
        let rules = self.rules(at, jwt);
        Some(CustomJwt { discovery_url: discovery_url?, clock_skew: Duration::from_secs(skew), rules: rules? })
    }

    fn rules(&mut self, at: &Range<usize>, jwt: &file::CustomJwt) -> Option<Rules> {
        let custom_claims: Vec<_> = jwt.custom_claims.iter().map(|claim| self.custom_claim(claim)).collect();
        let rules = Rules {
            allowed_clients: self.texts("authorizer.custom_jwt.allowed_clients", &jwt.allowed_clients),
            allowed_audience: self.texts("authorizer.custom_jwt.allowed_audience", &jwt.allowed_audience),
            allowed_scopes: self.scopes("authorizer.custom_jwt.allowed_scopes", &jwt.allowed_scopes),
            custom_claims: custom_claims.into_iter().collect::<Option<_>>()?,
            token_use: match jwt.token_use.as_ref().map(|it| it.value) {
                None | Some(file::TokenUse::Access) => TokenUse::Access,
                Some(file::TokenUse::Id) => TokenUse::Id,
                Some(file::TokenUse::Any) => TokenUse::Any,
            },
        };
        if rules == (Rules { token_use: rules.token_use, ..Rules::default() }) {
            let groups = ["allowed_clients", "allowed_audience", "allowed_scopes", "custom_claims"];
            let message = "`authorizer.custom_jwt` has no rule, so that any token of the issuer would do; write at least one \
                           of `allowed_clients`, `allowed_audience`, `allowed_scopes` and `custom_claims`";
            self.missing(at, &groups, message);
        }
        Some(rules)
    }

    fn custom_claim(&mut self, claim: &Located<file::CustomClaim>) -> Option<CustomClaim> {
        let (at, claim) = (&claim.at, &claim.value);
        let prefix = "authorizer.custom_jwt.custom_claims";
        let name = self.required(at, &format!("{prefix}.name"), &claim.name, "\"department\"");
        for member in [&claim.name, &claim.equals, &claim.contains] {
            self.filled(prefix, member);
        }
        let name = name.map(|name| name.value.clone());
        Some(CustomClaim { name: name?, matches: self.claim_match(at, claim)? })
    }

    fn claim_match(&mut self, at: &Range<usize>, claim: &file::CustomClaim) -> Option<ClaimMatch> {
        let text = |member: &Member<String>| member.as_ref().map(|text| text.value.clone());
        let mut matches: Vec<ClaimMatch> = Vec::new();
        matches.extend(text(&claim.equals).map(ClaimMatch::Equals));
        matches.extend(text(&claim.contains).map(ClaimMatch::Contains));
        if let Some(any) = &claim.contains_any {
            if any.value.iter().all(String::is_empty) {
                let message = "`contains_any` of a custom claim has no text; write at least one";
                self.findings.report(&any.at, message);
            }
            matches.push(ClaimMatch::ContainsAny(any.value.clone()));
        }
        if matches.len() != 1 {
            let message = "a custom claim takes exactly one of `equals`, `contains` and `contains_any`; write one, such as \
                           `equals = \"engineering\"`";
            self.missing(at, &["equals", "contains", "contains_any"], message);
        }
        matches.pop()
    }
}
