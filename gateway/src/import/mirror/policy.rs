//! What the live gateway's resource policy means for who may call here. Evaluates no policy: it tells those that keep nobody
//! out from those that may.
//!
//! Source: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/resource-based-policies.html>. Where callers show a
//! token, AWS sees them as nobody's principals, so statements about them name everybody, `*`. Where they sign, a policy that
//! only allows adds callers to those whom IAM allows.

use serde::Deserialize;
use serde_json::Value;

use super::super::{
    gap::Gap,
    live::{Live, ResourcePolicy},
};

/// The permission that a caller needs.
const INVOKE: [&str; 3] = ["bedrock-agentcore:InvokeGateway", "bedrock-agentcore:*", "*"];

/// As much of an IAM policy as tells whether it forbids.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: String,
    principal: Option<Value>,
    action: Option<OneOrMany<String>>,
    condition: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// The policy as a guard that is missing here, if it keeps anybody out or may do so.
pub(super) fn lost(live: &Live) -> Option<Gap> {
    match &live.resource_policy {
        ResourcePolicy::Absent => None,
        ResourcePolicy::Text(text) if forbids_nobody(text, signed(live)) => None,
        ResourcePolicy::Text(_) => Some(Gap::of_gateway(
            "A resource policy says there who may call, and from where",
            "it is not asked here: whom it keeps out may be let in",
        )),
        ResourcePolicy::Unreadable(why) => Some(Gap::of_gateway(
            format!("Whether a resource policy keeps callers out there could not be read ({why})"),
            "whom one keeps out may be let in here; let the AWS credentials do `bedrock-agentcore:GetResourcePolicy`",
        )),
    }
}

/// What a person has to know about a policy that only allows.
pub(super) fn different(live: &Live) -> Option<Gap> {
    let ResourcePolicy::Text(text) = &live.resource_policy else { return None };
    (signed(live) && forbids_nobody(text, true)).then(|| {
        let consequence = "fill those in here as well, in `[authorizer.aws_iam]`";
        Gap::of_gateway("A resource policy lets in more callers there than IAM does", consequence)
    })
}

/// Whether callers are principals of AWS.
fn signed(live: &Live) -> bool {
    live.gateway.authorizer_type == "AWS_IAM"
}

/// Whether whoever is let in otherwise is let in with this policy. What cannot be read may forbid.
fn forbids_nobody(text: &str, signed: bool) -> bool {
    let Ok(Document { statement }) = serde_json::from_str(text) else { return false };
    let statements = statement.items();
    statements.iter().all(|it| it.effect == "Allow") && (signed || statements.iter().any(Statement::allows_everybody))
}

impl Statement {
    /// Whether it lets everybody call the gateway.
    fn allows_everybody(&self) -> bool {
        let named = |principal: &Value| match principal {
            Value::Array(several) => several.iter().any(|one| one == "*"),
            one => one == "*",
        };
        let everybody = self.principal.as_ref().is_some_and(|it| named(it) || it.get("AWS").is_some_and(named));
        let actions = self.action.iter().flat_map(OneOrMany::items);
        let mut invoking = actions.filter(|action| INVOKE.iter().any(|it| it.eq_ignore_ascii_case(action)));
        everybody && self.condition.is_none() && invoking.next().is_some()
    }
}

impl<T> OneOrMany<T> {
    fn items(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn allow(principal: Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "bedrock-agentcore:InvokeGateway", "Resource": "*"})
    }

    fn forbids_nobody_of(statement: Value, signed: bool) -> bool {
        forbids_nobody(&json!({"Version": "2012-10-17", "Statement": statement}).to_string(), signed)
    }

    #[test]
    fn a_policy_that_lets_everybody_call_keeps_nobody_out() {
        let actions = json!(["bedrock-agentcore:GetGateway", "bedrock-agentcore:invokegateway"]);
        let mut several = allow(json!({"AWS": ["*"]}));
        several["Action"] = actions;
        for statement in [allow(json!("*")), json!([allow(json!({"AWS": "*"}))]), several] {
            assert!(forbids_nobody_of(statement.clone(), false), "{statement}");
        }
    }

    #[test]
    fn any_other_may_keep_out_whoever_shows_a_token() {
        let mut from_one_network = allow(json!("*"));
        from_one_network["Condition"] = json!({"StringEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}});
        let mut reading = allow(json!("*"));
        reading["Action"] = json!("bedrock-agentcore:GetGateway");
        let mut but_one = allow(json!("*"));
        but_one["NotPrincipal"] = but_one.as_object_mut().unwrap().remove("Principal").unwrap();
        let mut denied = allow(json!("*"));
        denied["Effect"] = json!("Deny");
        let one_account = allow(json!({"AWS": "arn:aws:iam::123456789012:root"}));
        let both = json!([allow(json!("*")), denied]);
        for statement in [from_one_network, reading, but_one, one_account, denied, both, json!([]), json!("none")] {
            assert!(!forbids_nobody_of(statement.clone(), false), "{statement}");
        }
        assert!(!forbids_nobody("no policy", false));
    }

    #[test]
    fn whoever_signs_is_kept_out_by_a_denial_alone() {
        let one_account = allow(json!({"AWS": "arn:aws:iam::123456789012:root"}));
        assert!(forbids_nobody_of(one_account.clone(), true));
        let mut denied = one_account;
        denied["Effect"] = json!("Deny");
        assert!(!forbids_nobody_of(denied, true));
    }
}
