//! Judges tokens that wrap a presigned GetCallerIdentity: asks STS whose they are, holds that against the allowed principals,
//! and remembers it until the token ends. Makes none: `causeway token aws-iam` does.

use std::{fmt, sync::Arc, time::Duration};

use causeway_aws::caller_identity::{BadToken, Identity, Token, Unknown};
use causeway_oidc::clock::Clock;
use serde_json::{Map, json};
use tokio::{sync::Semaphore, time::timeout};
use url::Url;

use super::principal::Principals;
use crate::{
    config::{AwsIam, CallerIdentity},
    inbound::{
        Caller,
        remembered::{Holding, Remembered},
    },
};

/// Questions to STS at once: strangers must not make the gateway flood it.
const QUESTIONS: usize = 16;
/// How long a token waits for its turn to be asked about.
const TURN: Duration = Duration::from_secs(5);
/// How long a token that STS refused is not asked for again.
const REFUSED: Duration = Duration::from_secs(60);
/// STS is there again after that, maybe.
const RETRY_AFTER: Duration = Duration::from_secs(5);

pub(super) struct CallerIdentityCheck {
    endpoint: Url,
    region: String,
    gateway_id: String,
    allowed: Principals,
    skew: Duration,
    http: reqwest::Client,
    clock: Clock,
    questions: Semaphore,
    /// What STS said.
    known: Remembered<Judged>,
}

type Judged = Result<Arc<Caller>, NoIdentity>;

/// Why a token is good for nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoIdentity {
    #[error("the token cannot be used: {0}")]
    BadToken(#[from] BadToken),
    #[error("the token is not good: STS refused it (HTTP {0})")]
    Refused(u16),
    #[error("the principal `{0}` is not one of `authorizer.aws_iam.caller_identity.allowed_principals`")]
    NotAllowed(String),
    #[error("the token cannot be judged now: {why}")]
    Unavailable { why: String, retry_after: Duration },
}

impl CallerIdentityCheck {
    pub(super) fn new(config: &CallerIdentity, iam: &AwsIam, http: reqwest::Client, clock: Clock) -> Self {
        Self {
            endpoint: config.endpoint.clone(),
            region: iam.region.clone(),
            gateway_id: config.gateway_id.clone(),
            allowed: Principals::new(&config.allowed_principals),
            skew: iam.clock_skew,
            http,
            known: Remembered::new(clock.clone()),
            clock,
            questions: Semaphore::new(QUESTIONS),
        }
    }

    /// Whose `token` is.
    pub(super) async fn caller(&self, token: &str) -> Result<Arc<Caller>, NoIdentity> {
        let judged = self.known.of(token, self.judge(token)).await;
        judged.unwrap_or_else(|unjudged| Err((*unjudged).clone()))
    }

    /// What STS says of a token; an error only if it says nothing.
    async fn judge(&self, token: &str) -> Result<Holding<Judged>, NoIdentity> {
        let token = Token::read(token, &self.endpoint, &self.region, self.clock.now(), self.skew)?;
        let unavailable = |why: String| {
            tracing::warn!("STS cannot say who calls: {why}");
            NoIdentity::Unavailable { why, retry_after: RETRY_AFTER }
        };
        let turn = timeout(TURN, self.questions.acquire()).await;
        let _turn = turn.map_err(|_| unavailable(format!("{QUESTIONS} other tokens are being asked about")))?;
        let outcome = match token.identity(&self.http, &self.gateway_id).await {
            Ok(identity) => self.allowed_caller(identity),
            Err(Unknown::Refused(status)) => Err(NoIdentity::Refused(status)),
            Err(Unknown::Unavailable(why)) => return Err(unavailable(why)),
        };
        let until = match outcome {
            Err(NoIdentity::Refused(_)) => token.expires.min(self.clock.now() + REFUSED),
            _ => token.expires,
        };
        Ok(Holding { value: outcome, until })
    }

    fn allowed_caller(&self, identity: Identity) -> Result<Arc<Caller>, NoIdentity> {
        if !self.allowed.allow(&identity.arn) {
            return Err(NoIdentity::NotAllowed(identity.arn));
        }
        let mut claims = Map::new();
        claims.insert("account".into(), json!(identity.account));
        claims.insert("user_id".into(), json!(identity.user_id));
        Ok(Arc::new(Caller::of_principal(&identity.arn, claims)))
    }
}

impl fmt::Debug for CallerIdentityCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerIdentityCheck")
            .field("gateway_id", &self.gateway_id)
            .field("allowed", &self.allowed)
            .finish()
    }
}
