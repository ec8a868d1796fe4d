//! The claims of a verified token against the rules of an authorizer.

use causeway_core::authorizer::{Authorizer, ClaimMatch, CustomClaim, TokenUse, scopes};
use serde_json::{Map, Value};

use crate::{input, json};

/// A client, an audience, a scope and a value of the claim `group`, each in a line, and then the claims.
///
/// A rule never lets in who does not carry its value as a value of its own, nor more for another rule beside it; without rules
/// only the kind of token counts.
pub fn check(data: &[u8]) {
    let Some(([client, audience, scope, group], claims)) = input::texts(data) else { return };
    let Some(claims) = json::object(claims) else { return };
    let listed = |text: &str| (!text.is_empty()).then(|| text.to_owned()).into_iter().collect::<Vec<_>>();
    let rules = |matches| CustomClaim { name: "group".into(), matches };
    let any_use = Authorizer { token_use: TokenUse::Any, ..Authorizer::default() };
    let by_client = Authorizer { allowed_clients: listed(client), ..any_use.clone() };
    let by_audience = Authorizer { allowed_audience: listed(audience), ..any_use.clone() };
    let by_scope = Authorizer { allowed_scopes: listed(scope), ..any_use.clone() };
    let equals = Authorizer { custom_claims: vec![rules(ClaimMatch::Equals(group.into()))], ..any_use.clone() };
    let contains = Authorizer { custom_claims: vec![rules(ClaimMatch::Contains(group.into()))], ..any_use.clone() };
    assert_eq!(any_use.check(&claims), Ok(()), "nothing is asked, and something is missing");
    let holds = |authorizer: &Authorizer| authorizer.check(&claims).is_ok();
    if !client.is_empty() {
        assert_eq!(holds(&by_client), claims.get("client_id") == Some(&Value::from(client)));
    }
    if !audience.is_empty() {
        assert_eq!(holds(&by_audience), is_or_holds(&claims, "aud", audience));
    }
    if !scope.is_empty() {
        let granted = words(&claims, "scope").chain(words(&claims, "scp")).any(|word| word == scope);
        let in_list = claims.get("scp").and_then(Value::as_array).into_iter().flatten();
        let in_list = in_list.filter_map(Value::as_str).any(|text| text.split(' ').any(|word| word == scope));
        assert_eq!(holds(&by_scope), (granted || in_list) && !scope.contains(' '));
        assert_eq!(by_scope.check(&claims).is_err_and(|why| why.is_scope()), !holds(&by_scope));
    }
    assert!(scopes(&claims).all(|scope| !scope.is_empty() && !scope.contains(' ')));
    assert_eq!(holds(&equals), claims.get("group") == Some(&Value::from(group)));
    let in_array = claims.get("group").and_then(Value::as_array).is_some_and(|all| all.contains(&Value::from(group)));
    assert_eq!(holds(&contains), in_array);
    let custom_claims = [equals.custom_claims.clone(), contains.custom_claims.clone()].concat();
    let all = Authorizer {
        allowed_clients: listed(client),
        allowed_audience: listed(audience),
        allowed_scopes: listed(scope),
        custom_claims,
        token_use: TokenUse::Access,
    };
    let each = [&by_client, &by_audience, &by_scope, &equals, &contains].into_iter().all(holds);
    let is_access = claims.get("token_use").is_none_or(|it| it == "access");
    assert_eq!(holds(&all), each && is_access, "groups of rules do not all count");
}

fn is_or_holds(claims: &Map<String, Value>, name: &str, wanted: &str) -> bool {
    match claims.get(name) {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Array(values)) => values.contains(&Value::from(wanted)),
        _ => false,
    }
}

fn words<'a>(claims: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a str> {
    claims.get(name).and_then(Value::as_str).unwrap_or_default().split(' ')
}
