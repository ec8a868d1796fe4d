//! Who may call, as config.toml says it. Never lets in more callers than the live gateway's rules do without saying so: each
//! rule that config.toml cannot say is told apart from what is merely different.

use super::{
    super::{
        document::Block,
        gap::Gap,
        live::{ClaimMatch, CustomClaim, CustomJwt, Live},
    },
    TO_FILL_IN, Unmirrorable,
    gateway::members,
};

/// Where the authorizer stands in the file.
#[derive(Default)]
pub(super) struct Authorizer {
    /// Above the first table.
    pub(super) before_tables: Block,
    /// A table of its own.
    pub(super) table: Block,
    /// What is different about callers and their tokens.
    pub(super) different: Vec<Gap>,
    /// Rules that are not in the file: without them more callers are let in.
    pub(super) lost: Vec<Gap>,
}

/// Writes the authorizer.
pub(super) fn block(live: &Live) -> Result<Authorizer, Unmirrorable> {
    let gateway = &live.gateway;
    let configuration = gateway.authorizer_configuration.as_ref();
    let jwt = configuration.and_then(|it| it.custom_jwt_authorizer.as_ref());
    let mut authorizer = match (gateway.authorizer_type.as_str(), jwt) {
        ("NONE", _) => open(),
        ("CUSTOM_JWT", Some(jwt)) => custom_jwt(jwt),
        ("AWS_IAM", _) => aws_iam(live),
        (other, _) => return Err(Unmirrorable::Authorizer(other.into())),
    };
    let unknown = configuration.into_iter().flat_map(|it| members(&it.more));
    authorizer.lost.extend(unknown.map(|name| unknown_rule(&format!("authorizerConfiguration.{name}"))));
    Ok(authorizer)
}

fn open() -> Authorizer {
    let mut before_tables = Block::default();
    before_tables
        .gap()
        .comment("Anyone may call, as there: on an address of this machine alone, unless you allow more.");
    before_tables.set("authorizer", "none");
    Authorizer { before_tables, ..Authorizer::default() }
}

fn custom_jwt(jwt: &CustomJwt) -> Authorizer {
    let mut authorizer = Authorizer::default();
    let table = &mut authorizer.table;
    table.gap().table("authorizer.custom_jwt").set("discovery_url", jwt.discovery_url.as_str());
    table.set_list("allowed_clients", jwt.allowed_clients.as_ref());
    table.set_list("allowed_audience", jwt.allowed_audience.as_ref());
    table.set_list("allowed_scopes", jwt.allowed_scopes.as_ref());
    if jwt.allowed_clients.is_none() && jwt.allowed_scopes.is_none() {
        table.comment("AgentCore does not ask which kind of Cognito token it is; \"access\" would refuse id tokens.");
        table.set("token_use", "any");
    }
    for claim in jwt.custom_claims.iter().flatten() {
        match custom_claim(claim) {
            Ok(claim) => _ = table.append(&claim),
            Err(lost) => authorizer.lost.push(lost),
        }
    }
    for name in members(&jwt.more) {
        match harmless(name) {
            Some(gap) => authorizer.different.push(gap),
            None => authorizer.lost.push(rule(name)),
        }
    }
    authorizer
}

/// A member that lets in the same callers with it and without it.
fn harmless(name: &str) -> Option<Gap> {
    let (what, consequence) = match name {
        "advertisedScopeMapping" => (
            "Clients are told other scopes there than tokens are checked for",
            "here they are told those of the tokens",
        ),
        "privateEndpoint" | "privateEndpointOverrides" => {
            ("The issuer is reached through a private endpoint there", "this machine must reach it itself")
        }
        "certificateConfigurations" => {
            ("The issuer has a certificate of a private authority", "install that authority on this machine")
        }
        _ => return None,
    };
    Some(Gap::of_gateway(what, consequence))
}

/// A member that may keep callers out.
fn rule(name: &str) -> Gap {
    match name {
        "allowedWorkloadConfiguration" => Gap::of_gateway(
            "Only some workloads are let in there",
            "every caller whose token fulfils the other rules is let in here",
        ),
        name => unknown_rule(&format!("authorizerConfiguration.customJWTAuthorizer.{name}")),
    }
}

fn unknown_rule(name: &str) -> Gap {
    Gap::of_gateway(
        format!("Its authorizer has `{name}`, which this version does not know"),
        "callers that it keeps out there may be let in here",
    )
}

/// Nobody but AWS can ask IAM who may call, so a person has to say it here. Until then nobody is let in.
fn aws_iam(live: &Live) -> Authorizer {
    let account = live.gateway.gateway_arn.split(':').nth(4).unwrap_or_default();
    let mut table = Block::default();
    table.gap().table("authorizer.aws_iam").set("region", live.region());
    table.gap().comment(&format!(
        "Fill in who may call: as there, whoever may do `bedrock-agentcore:InvokeGateway` on the live gateway. Callers show a \
         token that `causeway token aws-iam --gateway-id {}` prints.",
        live.gateway.gateway_id
    ));
    table.table("authorizer.aws_iam.caller_identity").set("gateway_id", live.gateway.gateway_id.as_str());
    table.set("allowed_principals", vec![format!("arn:aws:iam::{account}:role/{TO_FILL_IN}")]);
    table.gap().comment("Callers that go on signing their requests need their access key here, one table each:");
    table.comment_array_table("authorizer.aws_iam.access_keys").comment_setting("access_key_id", TO_FILL_IN);
    table.comment_setting("secret_access_key_env", "CALLER_SECRET_ACCESS_KEY");
    table.comment_setting("principal", format!("arn:aws:iam::{account}:user/{TO_FILL_IN}"));
    let consequence = "here nobody may until you fill in who, in `[authorizer.aws_iam]`";
    let different = vec![Gap::of_gateway("IAM says who may call there", consequence)];
    Authorizer { table, different, ..Authorizer::default() }
}

/// # Errors
/// The rule as one that is lost, where config.toml cannot say exactly the same.
fn custom_claim(claim: &CustomClaim) -> Result<Block, Gap> {
    let ClaimMatch { claim_match_operator: operator, claim_match_value: value, more } =
        &claim.authorizing_claim_match_value;
    let (name, kind) = (claim.inbound_token_claim_name.as_str(), claim.inbound_token_claim_value_type.as_str());
    let lost = |how: &str| {
        let what = format!("The claim `{name}` must fulfil a rule there that config.toml cannot say ({how})");
        Gap::of_gateway(what, "callers whose tokens do not fulfil it are let in here")
    };
    if let Some(unknown) = [&claim.more, more, &value.more].into_iter().flat_map(members).next() {
        return Err(lost(&format!("`{unknown}`")));
    }
    let mut table = Block::default();
    table.gap().array_table("authorizer.custom_jwt.custom_claims").set("name", name);
    match (operator.as_str(), kind, &value.match_value_string, &value.match_value_string_list) {
        ("EQUALS", "STRING", Some(text), None) => table.set("equals", text.as_str()),
        ("CONTAINS", "STRING_ARRAY", Some(text), None) => table.set("contains", text.as_str()),
        ("CONTAINS_ANY", "STRING_ARRAY", None, Some(texts)) => table.set("contains_any", texts.clone()),
        _ => return Err(lost(&format!("`{operator}` for a `{kind}`"))),
    };
    Ok(table)
}
