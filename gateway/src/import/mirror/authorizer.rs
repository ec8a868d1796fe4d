//! Who may call, as config.toml says it. Never lets in more callers than the live gateway's rules do.

use super::{
    super::{
        document::Block,
        live::{ClaimMatch, CustomClaim, CustomJwt, Live},
    },
    TO_FILL_IN, Unmirrorable,
};

/// Where the authorizer stands in the file.
#[derive(Default)]
pub(super) struct Authorizer {
    /// Above the first table.
    pub(super) before_tables: Block,
    /// A table of its own.
    pub(super) table: Block,
}

/// Writes the authorizer.
pub(super) fn block(live: &Live) -> Result<Authorizer, Unmirrorable> {
    let gateway = &live.gateway;
    let jwt = gateway.authorizer_configuration.as_ref().and_then(|it| it.custom_jwt_authorizer.as_ref());
    match (gateway.authorizer_type.as_str(), jwt) {
        ("NONE", _) => {
            let mut before_tables = Block::default();
            before_tables
                .gap()
                .comment("Anyone may call, as there: on an address of this machine alone, unless you allow more.");
            before_tables.set("authorizer", "none");
            Ok(Authorizer { before_tables, ..Authorizer::default() })
        }
        ("CUSTOM_JWT", Some(jwt)) => Ok(Authorizer { table: custom_jwt(jwt)?, ..Authorizer::default() }),
        ("AWS_IAM", _) => Ok(Authorizer { table: aws_iam(live), ..Authorizer::default() }),
        (other, _) => Err(Unmirrorable::Authorizer(other.into())),
    }
}

fn custom_jwt(jwt: &CustomJwt) -> Result<Block, Unmirrorable> {
    let mut table = Block::default();
    table.gap().table("authorizer.custom_jwt").set("discovery_url", jwt.discovery_url.as_str());
    table.set_list("allowed_clients", jwt.allowed_clients.as_ref());
    table.set_list("allowed_audience", jwt.allowed_audience.as_ref());
    table.set_list("allowed_scopes", jwt.allowed_scopes.as_ref());
    if jwt.allowed_clients.is_none() && jwt.allowed_scopes.is_none() {
        table.comment("AgentCore does not ask which kind of Cognito token it is; \"access\" would refuse id tokens.");
        table.set("token_use", "any");
    }
    for claim in jwt.custom_claims.iter().flatten() {
        table.append(&custom_claim(claim)?);
    }
    Ok(table)
}

/// Nobody but AWS can ask IAM who may call, so a person has to say it here. Until then nobody is let in.
fn aws_iam(live: &Live) -> Block {
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
    table
}

fn custom_claim(claim: &CustomClaim) -> Result<Block, Unmirrorable> {
    let ClaimMatch { claim_match_operator: operator, claim_match_value: value } = &claim.authorizing_claim_match_value;
    let mut table = Block::default();
    table.gap().array_table("authorizer.custom_jwt.custom_claims").set("name", claim.inbound_token_claim_name.as_str());
    match (operator.as_str(), &value.match_value_string, &value.match_value_string_list) {
        ("EQUALS", Some(text), None) => table.set("equals", text.as_str()),
        ("CONTAINS", Some(text), None) => table.set("contains", text.as_str()),
        ("CONTAINS_ANY", None, Some(texts)) => table.set("contains_any", texts.clone()),
        _ => {
            let (claim, operator) = (claim.inbound_token_claim_name.clone(), operator.clone());
            return Err(Unmirrorable::Claim { claim, operator });
        }
    };
    Ok(table)
}
