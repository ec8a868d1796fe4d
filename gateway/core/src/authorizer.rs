//! What a verified token must say: AgentCore's four groups of rules over claims. Verifies no signature and reads no clock.
//!
//! Source: AgentCore's inbound JWT authorizer page and `customJWTAuthorizer` of its API model.

use serde_json::{Map, Value};

/// The claims that a caller's token must carry. Every group that is not empty must hold (AND); inside a group one match
/// is enough (OR).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorizer {
    /// Compared with the claim `client_id`.
    pub allowed_clients: Vec<String>,
    /// Compared with the claim `aud` (a text or an array of texts).
    pub allowed_audience: Vec<String>,
    /// Compared with the claims `scope` (space separated) and `scp` (text or array).
    pub allowed_scopes: Vec<String>,
    /// All of them must hold.
    pub custom_claims: Vec<CustomClaim>,
    /// Which kind of Cognito token is meant; a token without the claim `token_use` passes.
    pub token_use: TokenUse,
}

/// Cognito's claim `token_use`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenUse {
    /// Access tokens only.
    #[default]
    Access,
    /// Id tokens only.
    Id,
    /// Either.
    Any,
}

/// One rule over a claim that the issuer defines itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomClaim {
    /// Name of the claim.
    pub name: String,
    /// What its value must be.
    pub matches: ClaimMatch,
}

/// How the value of a custom claim is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimMatch {
    /// The claim is a text, equal to this one.
    Equals(String),
    /// The claim is an array of texts that holds this one.
    Contains(String),
    /// The claim is an array of texts that holds one of these.
    ContainsAny(Vec<String>),
}

/// The first rule that a token breaks. None of its texts holds a value of the token, so they may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Another kind of Cognito token is meant.
    #[error("the claim `token_use` says another kind of token than `{0}`: send the issuer's {0} token")]
    TokenUse(&'static str),
    /// `client_id` is absent or not listed.
    #[error("the claim `client_id` is none of `allowed_clients`")]
    Client,
    /// `aud` is absent or names nobody listed.
    #[error("the claim `aud` holds none of `allowed_audience`")]
    Audience,
    /// The claim of this name is absent, of another type or of another value.
    #[error("the claim `{0}` is not as `custom_claims` wants it")]
    CustomClaim(String),
    /// Everything else holds, but neither `scope` nor `scp` grants a scope that is listed.
    #[error("neither `scope` nor `scp` holds one of `allowed_scopes`")]
    Scope,
}

impl Authorizer {
    /// Checks the claims of a token that is already verified. The scopes come last, so [`Denied::Scope`] means that
    /// nothing but a scope is missing.
    pub fn check(&self, claims: &Map<String, Value>) -> Result<(), Denied> {
        self.token_use.check(claims)?;
        if !self.allowed_clients.is_empty() && !any_listed(text(claims, "client_id"), &self.allowed_clients) {
            return Err(Denied::Client);
        }
        if !self.allowed_audience.is_empty() && !any_listed(texts(claims, "aud"), &self.allowed_audience) {
            return Err(Denied::Audience);
        }
        if let Some(broken) = self.custom_claims.iter().find(|rule| !rule.holds(claims)) {
            return Err(Denied::CustomClaim(broken.name.clone()));
        }
        if !self.allowed_scopes.is_empty() && !any_listed(scopes(claims), &self.allowed_scopes) {
            return Err(Denied::Scope);
        }
        Ok(())
    }
}

impl Denied {
    /// Whether the token is good and only lacks a scope: the one refusal that is a 403 (`insufficient_scope`, RFC 6750,
    /// section 3.1), all others are a 401.
    pub fn is_scope(&self) -> bool {
        *self == Self::Scope
    }
}

impl TokenUse {
    fn check(self, claims: &Map<String, Value>) -> Result<(), Denied> {
        let wanted = match self {
            Self::Access => "access",
            Self::Id => "id",
            Self::Any => return Ok(()),
        };
        match claims.get("token_use") {
            Some(actual) if actual != wanted => Err(Denied::TokenUse(wanted)),
            _ => Ok(()),
        }
    }
}

impl CustomClaim {
    fn holds(&self, claims: &Map<String, Value>) -> bool {
        let claim = claims.get(&self.name);
        let array = || claim.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        match &self.matches {
            ClaimMatch::Equals(wanted) => claim.is_some_and(|claim| claim == wanted),
            ClaimMatch::Contains(wanted) => array().any(|text| text == wanted),
            ClaimMatch::ContainsAny(wanted) => any_listed(array(), wanted),
        }
    }
}

/// The scopes that a token grants: the words of `scope` (RFC 8693, section 4.2; Cognito), and `scp` as text or as array
/// (Entra, Okta).
pub fn scopes(claims: &Map<String, Value>) -> impl Iterator<Item = &str> {
    text(claims, "scope").chain(texts(claims, "scp")).flat_map(|words| words.split(' ')).filter(|word| !word.is_empty())
}

/// The claim `name` if it is a text.
fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    claims.get(name).and_then(Value::as_str).into_iter()
}

/// The claim `name` if it is a text, and the texts in it if it is an array.
fn texts<'a>(claims: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let array = claims.get(name).and_then(Value::as_array).into_iter().flatten();
    text(claims, name).chain(array.filter_map(Value::as_str))
}

fn any_listed<'a>(mut values: impl Iterator<Item = &'a str>, list: &[String]) -> bool {
    values.any(|value| list.iter().any(|listed| listed == value))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};
    use serde_json::json;

    use super::*;

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| value.to_string()).collect()
    }

    fn custom(name: &str, matches: ClaimMatch) -> Authorizer {
        let custom_claims = vec![CustomClaim { name: name.into(), matches }];
        Authorizer { custom_claims, ..Authorizer::default() }
    }

    #[track_caller]
    fn check(authorizer: &Authorizer, claims: Value, expected: Result<(), Denied>) {
        assert_eq!(authorizer.check(claims.as_object().unwrap()), expected, "{claims}");
    }

    #[test]
    fn clients_are_compared_with_client_id() {
        let rules = Authorizer { allowed_clients: texts(&["a", "b"]), ..Authorizer::default() };
        check(&rules, json!({"client_id": "b"}), Ok(()));
        check(&rules, json!({"client_id": "c"}), Err(Denied::Client));
        check(&rules, json!({"client_id": ["a"]}), Err(Denied::Client));
        check(&rules, json!({"client_id": "A"}), Err(Denied::Client));
        check(&rules, json!({"azp": "a", "aud": "a", "sub": "a"}), Err(Denied::Client));
    }

    #[test]
    fn audience_is_a_text_or_an_array() {
        let rules = Authorizer { allowed_audience: texts(&["a", "b"]), ..Authorizer::default() };
        check(&rules, json!({"aud": "a"}), Ok(()));
        check(&rules, json!({"aud": ["x", "b"]}), Ok(()));
        check(&rules, json!({"aud": ["x", 1]}), Err(Denied::Audience));
        check(&rules, json!({"aud": "a b"}), Err(Denied::Audience));
        check(&rules, json!({"aud": {"a": "b"}}), Err(Denied::Audience));
        check(&rules, json!({"client_id": "a"}), Err(Denied::Audience));
    }

    #[test]
    fn scopes_come_in_three_spellings() {
        let rules = Authorizer { allowed_scopes: texts(&["mcp/read", "mcp/all"]), ..Authorizer::default() };
        check(&rules, json!({"scope": "openid mcp/read"}), Ok(()));
        check(&rules, json!({"scp": "openid mcp/all"}), Ok(()));
        check(&rules, json!({"scp": ["openid", "mcp/all"]}), Ok(()));
        check(&rules, json!({"scope": "mcp/readwrite"}), Err(Denied::Scope));
        check(&rules, json!({"scope": ""}), Err(Denied::Scope));
        check(&rules, json!({"scope": 7, "scp": [7]}), Err(Denied::Scope));
        check(&rules, json!({}), Err(Denied::Scope));
    }

    #[test]
    fn custom_claims_are_typed() {
        let equals = custom("dept", ClaimMatch::Equals("it".into()));
        check(&equals, json!({"dept": "it"}), Ok(()));
        check(&equals, json!({"dept": ["it"]}), Err(Denied::CustomClaim("dept".into())));
        check(&equals, json!({}), Err(Denied::CustomClaim("dept".into())));
        let contains = custom("groups", ClaimMatch::Contains("dev".into()));
        check(&contains, json!({"groups": ["ops", "dev"]}), Ok(()));
        check(&contains, json!({"groups": "dev"}), Err(Denied::CustomClaim("groups".into())));
        check(&contains, json!({"groups": ["developers"]}), Err(Denied::CustomClaim("groups".into())));
        let any = custom("groups", ClaimMatch::ContainsAny(texts(&["dev", "ops"])));
        check(&any, json!({"groups": ["x", "ops"]}), Ok(()));
        check(&any, json!({"groups": ["x"]}), Err(Denied::CustomClaim("groups".into())));
        check(&any, json!({"groups": "ops"}), Err(Denied::CustomClaim("groups".into())));
    }

    #[test]
    fn every_custom_claim_must_hold() {
        let mut both = custom("a", ClaimMatch::Equals("1".into()));
        both.custom_claims.extend(custom("b", ClaimMatch::Equals("2".into())).custom_claims);
        check(&both, json!({"a": "1", "b": "2"}), Ok(()));
        check(&both, json!({"a": "1"}), Err(Denied::CustomClaim("b".into())));
    }

    #[test]
    fn an_id_token_is_no_access_token() {
        let with = |token_use| Authorizer { token_use, ..Authorizer::default() };
        check(&with(TokenUse::Access), json!({"token_use": "access"}), Ok(()));
        check(&with(TokenUse::Access), json!({}), Ok(()));
        check(&with(TokenUse::Access), json!({"token_use": "id"}), Err(Denied::TokenUse("access")));
        check(&with(TokenUse::Access), json!({"token_use": null}), Err(Denied::TokenUse("access")));
        check(&with(TokenUse::Id), json!({"token_use": "access"}), Err(Denied::TokenUse("id")));
        check(&with(TokenUse::Any), json!({"token_use": "id"}), Ok(()));
    }

    #[test]
    fn a_cognito_access_token_fails_an_audience_rule() {
        let both =
            Authorizer { allowed_clients: texts(&["c"]), allowed_audience: texts(&["c"]), ..Authorizer::default() };
        check(&both, json!({"client_id": "c", "token_use": "access"}), Err(Denied::Audience));
    }

    /// Values from so few that rules and claims meet often.
    fn words() -> impl Strategy<Value = Vec<String>> {
        vec("[abc]", 0..3)
    }

    prop_compose! {
        fn authorizers()(
            allowed_clients in words(),
            allowed_audience in words(),
            allowed_scopes in words(),
            groups in option::of(words()),
            token_use in prop_oneof![Just(TokenUse::Access), Just(TokenUse::Id), Just(TokenUse::Any)],
        ) -> Authorizer {
            let rule = |list| CustomClaim { name: "groups".into(), matches: ClaimMatch::ContainsAny(list) };
            let custom_claims = groups.map(rule).into_iter().collect();
            Authorizer { allowed_clients, allowed_audience, allowed_scopes, custom_claims, token_use }
        }
    }

    prop_compose! {
        fn claim_sets()(
            client_id in "[abc]", aud in words(), scope in words(), scp in words(), groups in words(),
            token_use in prop_oneof![Just("access"), Just("id")],
        ) -> Map<String, Value> {
            let claims = json!({
                "client_id": client_id, "aud": aud, "scope": scope.join(" "), "scp": scp, "groups": groups,
                "token_use": token_use,
            });
            claims.as_object().unwrap().clone()
        }
    }

    /// `rules`, one group at a time.
    fn groups(rules: &Authorizer) -> Vec<Authorizer> {
        let bare = Authorizer { token_use: TokenUse::Any, ..Authorizer::default() };
        let Authorizer { allowed_clients, allowed_audience, allowed_scopes, custom_claims, token_use } = rules.clone();
        vec![
            Authorizer { allowed_clients, ..bare.clone() },
            Authorizer { allowed_audience, ..bare.clone() },
            Authorizer { allowed_scopes, ..bare.clone() },
            Authorizer { custom_claims, ..bare.clone() },
            Authorizer { token_use, ..bare },
        ]
    }

    proptest! {
        #[test]
        fn groups_are_joined_by_and(rules in authorizers(), claims in claim_sets()) {
            let each = groups(&rules).iter().all(|group| group.check(&claims).is_ok());
            prop_assert_eq!(rules.check(&claims).is_ok(), each);
        }

        #[test]
        fn a_list_is_joined_by_or(list in vec("[abc]", 1..3), claims in claim_sets()) {
            let allowing = |allowed_audience| Authorizer { allowed_audience, token_use: TokenUse::Any, ..Authorizer::default() };
            let any = list.iter().any(|one| allowing(vec![one.clone()]).check(&claims).is_ok());
            prop_assert_eq!(allowing(list).check(&claims).is_ok(), any);
        }

        #[test]
        fn only_a_token_that_lacks_nothing_else_lacks_a_scope(rules in authorizers(), claims in claim_sets()) {
            let without_scopes = Authorizer { allowed_scopes: vec![], ..rules.clone() };
            if let Err(denied) = rules.check(&claims) {
                prop_assert_eq!(denied.is_scope(), without_scopes.check(&claims).is_ok());
            }
        }
    }
}
