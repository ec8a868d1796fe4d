//! The live gateway itself as the first target, with the mirrored ones as its standby. Nobody calls it as themselves then: it
//! sees one caller, this gateway.

use super::{
    super::{document::Block, gap::Gap, live::Live},
    TO_FILL_IN, credential,
};

/// The first target.
pub(super) struct Primary {
    pub(super) block: Block,
    /// The variable that holds its secret, if it needs one.
    pub(super) variable: Option<String>,
}

/// Writes the live gateway as a target whose place those of `standby` take while it is not there.
pub(super) fn part(live: &Live, standby: &[&str]) -> Primary {
    let name = name(live);
    let mut block = Block::default();
    block
        .gap()
        .comment(
            "The live gateway: calls go there while it answers, all as those of one caller, and to the targets below it while \
             it does not.",
        );
    block.array_table("targets").set("name", name.as_str()).set("kind", "agentcore-gateway");
    block.set("http.endpoint", live.gateway.gateway_url.as_deref().unwrap_or_default());
    let standby: Vec<String> = standby.iter().map(|name| (*name).to_owned()).collect();
    block.set_list("standby", Some(&standby));
    let variable = format!("{}_CLIENT_SECRET", name.to_ascii_uppercase().replace('-', "_"));
    let jwt = live.gateway.authorizer_configuration.as_ref().and_then(|it| it.custom_jwt_authorizer.as_ref());
    match (live.gateway.authorizer_type.as_str(), jwt) {
        ("CUSTOM_JWT", Some(jwt)) => {
            block
                .gap()
                .comment("A client of its own that the live gateway lets in: callers' tokens are not passed on.");
            block.table("targets.credential.client_credentials").set("discovery_url", jwt.discovery_url.as_str());
            let client = jwt.allowed_clients.as_ref().and_then(|clients| clients.first());
            block.set("client_id", client.map_or(TO_FILL_IN, String::as_str));
            block.set("client_secret_env", variable.as_str());
            block.set_list("scopes", jwt.allowed_scopes.as_ref());
            Primary { block, variable: Some(variable) }
        }
        ("NONE", _) => Primary { block, variable: None },
        _ => {
            block.gap().comment("With credentials that may do `bedrock-agentcore:InvokeGateway` on the live gateway.");
            block.table("targets.credential.sigv4").set("service", "bedrock-agentcore").set("region", live.region());
            Primary { block, variable: None }
        }
    }
}

/// What is so whether or not the live gateway answers.
pub(super) fn one_caller() -> Gap {
    Gap::of_gateway(
        "With `--standby` the live gateway sees one caller, this gateway, whoever calls here",
        "its policies, interceptors, rate limits and logs cannot tell callers apart, and whatever it keeps for a caller, such as \
         a token that a user agreed to, all share",
    )
}

/// The targets that tell users apart there, and with one caller before them cannot.
pub(super) fn shared(live: &Live) -> Vec<Gap> {
    let targets = live.targets.iter().filter(|target| {
        // These are no part of what the first target leads to.
        !matches!(target.kind(), Some(("http" | "inference", ..)))
    });
    let shared = targets.filter_map(|target| {
        let consequence = "with `--standby` all who call here are one user to it: what one of them agreed to there serves \
                           all, and all may do what that user may; import without `--standby`";
        Some(Gap::of_target(&target.name, credential::of_users(target)?, consequence))
    });
    shared.collect()
}

/// The gateway's own name, unless one of its targets has it.
fn name(live: &Live) -> String {
    let own = &live.gateway.name;
    let taken = |name: &str| live.targets.iter().any(|target| target.name.eq_ignore_ascii_case(name));
    let mut name = own.clone();
    while taken(&name) {
        name = format!("{}-gateway", name.trim_end_matches('-'));
    }
    name
}
