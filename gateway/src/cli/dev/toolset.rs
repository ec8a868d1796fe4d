//! Toolsets with callers of their own, on this machine: their issuers are pools of the development identity provider, and their
//! access keys are made here.

use causeway_core::name::ToolsetName;
use serde::Serialize;
use url::Url;

use super::{
    RunningKey,
    identity::{access_key, callers},
};
use crate::{
    config::{Authorizer, Config},
    identity_provider::{self, Pool, PoolClient},
};

/// Who may call a toolset that does not leave that to the gateway.
#[derive(Debug)]
pub(super) enum Own {
    Tokens { client: PoolClient, token_endpoint: Url },
    Signatures(RunningKey),
    Anyone,
}

/// A toolset that is served, for whoever uses it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunningToolset {
    pub(super) name: String,
    pub(super) endpoint: String,
    /// Absent where the gateway's own is good, or none is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_key: Option<RunningKey>,
}

/// Puts the identity provider at `base` in the place of the issuers that toolsets name, with a pool for each.
pub(super) fn at_home(config: &mut Config, base: &Url, pools: &mut Vec<Pool>) -> Vec<(ToolsetName, Option<Own>)> {
    let toolsets = config.toolsets.iter_mut().map(|toolset| {
        let own = toolset.authorizer.as_mut().map(|authorizer| match authorizer {
            Authorizer::None => Own::Anyone,
            Authorizer::AwsIam(iam) => Own::Signatures(access_key(iam)),
            Authorizer::CustomJwt(jwt) => {
                // No target's pool has this name: no target's name holds an underscore.
                let pool = format!("toolset_{}", toolset.name);
                let clients = callers(jwt, None);
                let client = clients.first().cloned().expect("there is a client for programs in any case");
                jwt.discovery_url = identity_provider::discovery_url(base, &pool);
                let token_endpoint = identity_provider::token_url(base, &pool);
                pools.push(Pool { id: pool, clients, ..Pool::default() });
                Own::Tokens { client, token_endpoint }
            }
        });
        (toolset.name.clone(), own)
    });
    toolsets.collect()
}
