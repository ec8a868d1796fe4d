//! AWS Signature Version 4 over each request, with the gateway's own credentials or those of a role. Signs what is sent and
//! nothing else; where the credentials come from is `causeway-aws`'s business.

use std::{fmt, sync::Arc};

use causeway_aws::{
    Identity,
    endpoint::region_of_host,
    refusal::{error_name, is_stale},
    sign::{Scope, sign},
};
use causeway_core::name::TargetName;
use causeway_oidc::clock::Clock;
use http::{HeaderMap, StatusCode, Uri, request::Parts};

use super::{CredentialError, Failure, Generation, Stage};
use crate::config;

/// What signs for one target. Clones share the AWS credentials.
#[derive(Clone)]
pub struct Sigv4(Arc<Inner>);

struct Inner {
    target: TargetName,
    service: String,
    region: Option<String>,
    identity: Identity,
    clock: Clock,
}

impl Sigv4 {
    pub(super) fn new(target: &TargetName, config: &config::Sigv4, clock: Clock) -> Self {
        let identity = Identity::new(config.identity.clone(), clock.clone());
        Self::with_identity(target, config, identity, clock)
    }

    fn with_identity(target: &TargetName, config: &config::Sigv4, identity: Identity, clock: Clock) -> Self {
        let (service, region) = (config.service.clone(), config.region.clone());
        Self(Arc::new(Inner { target: target.clone(), service, region, identity, clock }))
    }

    /// Signs `request` with this `body`, and says with which credentials.
    pub(super) async fn apply(&self, request: &mut Parts, body: &[u8]) -> Result<Generation, CredentialError> {
        let it = &*self.0;
        let credentials = it.identity.credentials().await.map_err(|why| it.error(Stage::Identity, why.into()))?;
        let region = it.region(&request.uri).await?;
        let scope = Scope { service: &it.service, region: &region };
        let signed = sign(request, body, &credentials.value, scope, it.clock.now());
        signed.map_err(|why| it.error(Stage::Request, why.into()))?;
        Ok(credentials.generation)
    }

    /// Whether there are other credentials than those that were refused.
    pub(super) async fn renew(&self, refused: Generation) -> bool {
        self.0.identity.renew(refused).await
    }
}

impl Inner {
    /// What the config says, else the host that the request goes to, else where this machine is.
    async fn region(&self, uri: &Uri) -> Result<String, CredentialError> {
        let named = self.region.as_deref().or_else(|| region_of_host(uri.host()?));
        match named {
            Some(region) => Ok(region.to_owned()),
            None => self.identity.region().await.map_err(|why| self.error(Stage::Identity, why.into())),
        }
    }

    fn error(&self, stage: Stage, failure: Failure) -> CredentialError {
        CredentialError { target: self.target.clone(), stage, failure: Arc::new(failure) }
    }
}

impl fmt::Debug for Sigv4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { target, service, region, .. } = &*self.0;
        let mut shown = f.debug_struct("Sigv4");
        shown.field("target", target).field("service", service).field("region", region).finish_non_exhaustive()
    }
}

/// Whether an answer is about the credentials. AWS answers 403 as well to expired credentials as to those that may not do
/// this; its name of the error tells them apart, where there is one.
pub(super) fn is_refused_by(status: StatusCode, headers: &HeaderMap) -> bool {
    match status {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => error_name(headers).is_none_or(|name| is_stale(&name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
