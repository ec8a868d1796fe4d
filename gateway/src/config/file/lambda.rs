//! The mirror of the section `[lambda]` of config.toml. It checks nothing; `resolve.rs` does.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Member;

/// The gateway as an AWS Lambda function behind API Gateway (`causeway lambda`). Has no meaning elsewhere.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lambda {
    /// Take API Gateway's word that the signature of a caller's token is good, where its Cognito or JWT authorizer has verified it;
    /// issuer, time and all rules of `[authorizer.custom_jwt]` are checked here all the same. For a function that cannot reach the
    /// issuer, because it is in a private subnet without NAT. Only who may invoke the function itself could forge such a word. Its
    /// authorizer must read the token where this gateway does, in the header `Authorization`.
    /// Default: `false`, the signature is verified here again.
    #[schemars(extend("default" = false))]
    pub trust_api_gateway_authorizer: Member<bool>,
}
