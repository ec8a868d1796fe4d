//! AgentCore's authorizer `AWS_IAM`: a caller signs each request with SigV4, or shows a token that wraps a presigned STS
//! GetCallerIdentity. Knows no bodies before they are read, so a signature is judged in two steps: [`AwsIamCheck::begin`] takes
//! the head, [`Signed::finish`] the body.
//!
//! What each proves: a signature, that the sender holds the secret of an access key that the config names, and that nobody
//! changed the request; not that it was not sent before: who can read it can send it again for as long as it counts. Only who holds the secret too can judge it, so it must be configured here, and a key that is withdrawn
//! in IAM must be taken out here. A token, that AWS itself knows the sender as this principal; it is a bearer token, good for
//! minutes and for this gateway only.

mod caller_identity;
mod principal;

use std::{collections::HashMap, sync::Arc, time::Duration};

use causeway_aws::verify::{NotVerified, Presented, host};
use causeway_oidc::{clock::Clock, kept::Version};
use http::{header, request::Parts};
use serde_json::{Map, Value, json};

use self::caller_identity::{CallerIdentityCheck, NoIdentity};
use super::{
    Caller, Reason, Refusal,
    bearer::{self, NoToken},
};
use crate::{
    config::AwsIam,
    secret::Secret,
    stored::{SecretUnread, Sources, StoredSecret},
};

/// A secret that AWS did not give now, it may give after that.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Checks signatures and tokens.
#[derive(Debug)]
pub(super) struct AwsIamCheck {
    region: String,
    service: String,
    skew: Duration,
    /// To whom signed requests must be addressed, where the gateway has a public URL.
    host: Option<String>,
    /// By the id of the access key.
    keys: HashMap<String, Key>,
    caller_identity: Option<CallerIdentityCheck>,
    clock: Clock,
}

#[derive(Debug)]
struct Key {
    secret: StoredSecret,
    caller: Arc<Caller>,
}

/// What the head of a request proves.
#[derive(Debug)]
pub(super) enum Begun {
    /// All there is to prove.
    Caller(Arc<Caller>),
    /// Nothing without the body.
    Signed(Signed),
}

/// A request whose signature names a known access key, and is judged once its body is there.
#[derive(Debug)]
pub(super) struct Signed {
    check: Arc<AwsIamCheck>,
    presented: Presented,
}

/// Why a caller is refused, for the log.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("{0}")]
    NotVerified(#[from] NotVerified),
    #[error("it is addressed to another host than that of `gateway.public_url`")]
    OtherHost,
    #[error("it is signed for `{region}/{service}`, which is not what `authorizer.aws_iam` says")]
    OtherScope { region: String, service: String },
    #[error("the access key `{0}` is not one of `authorizer.aws_iam.access_keys`")]
    UnknownKey(String),
    #[error("the secret of its access key cannot be had now: {0}")]
    Unread(#[from] SecretUnread),
    #[error("{0}")]
    NoToken(#[from] NoToken),
    #[error("tokens are not taken: `authorizer.aws_iam.caller_identity` is not configured")]
    TokensOff,
    #[error("{0}")]
    NoIdentity(#[from] NoIdentity),
}

impl AwsIamCheck {
    pub(super) fn new(config: &AwsIam, sources: &Sources) -> Self {
        let (http, clock) = (sources.http.clone(), sources.clock.clone());
        let keys = config.access_keys.iter().map(|key| {
            let caller = Arc::new(Caller::of_principal(&key.principal, Map::new()));
            (key.access_key_id.clone(), Key { secret: StoredSecret::new(&key.secret_access_key, sources), caller })
        });
        let caller_identity = config.caller_identity.as_ref();
        Self {
            region: config.region.clone(),
            service: config.service.clone(),
            skew: config.clock_skew,
            host: config.host.clone(),
            keys: keys.collect(),
            caller_identity: caller_identity
                .map(|identity| CallerIdentityCheck::new(identity, config, http, clock.clone())),
            clock,
        }
    }

    /// Takes the head of a request.
    pub(super) async fn begin(self: &Arc<Self>, head: &Parts) -> Result<Begun, Refusal> {
        self.try_begin(head).await.map_err(|cause| refusal(&cause))
    }

    async fn try_begin(self: &Arc<Self>, head: &Parts) -> Result<Begun, Cause> {
        let headers = &head.headers;
        let scheme = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let scheme = scheme.and_then(|value| value.split(' ').next()).unwrap_or_default();
        if scheme.eq_ignore_ascii_case("bearer") {
            let check = self.caller_identity.as_ref().ok_or(Cause::TokensOff)?;
            return Ok(Begun::Caller(check.caller(bearer::token(headers)?).await?));
        }
        let presented = Presented::read(headers)?;
        if (&presented.region, &presented.service) != (&self.region, &self.service) {
            return Err(Cause::OtherScope { region: presented.region, service: presented.service });
        }
        if self.host.as_ref().is_some_and(|public| host(head).ok() != Some(public)) {
            return Err(Cause::OtherHost);
        }
        presented.check_head(headers, self.clock.now(), self.skew)?;
        match self.keys.contains_key(&presented.access_key_id) {
            true => Ok(Begun::Signed(Signed { check: Arc::clone(self), presented })),
            false => Err(Cause::UnknownKey(presented.access_key_id)),
        }
    }
}

impl Signed {
    /// Who sent the request with this head and this whole body.
    ///
    /// # Errors
    /// The [`Refusal`] that is to be the response.
    pub(super) async fn finish(&self, parts: &Parts, body: &[u8]) -> Result<Arc<Caller>, Refusal> {
        self.try_finish(parts, body).await.map_err(|cause| refusal(&cause))
    }

    async fn try_finish(&self, parts: &Parts, body: &[u8]) -> Result<Arc<Caller>, Cause> {
        let key = &self.check.keys[&self.presented.access_key_id];
        let Version { value, generation } = key.secret.fresh().await?;
        match self.verify(parts, body, &value) {
            // The secret may have changed where AWS keeps it.
            Err(NotVerified::Mismatch) if key.secret.renew(generation).await? => {
                self.verify(parts, body, &key.secret.value().await?.value)?;
            }
            judged => judged?,
        }
        Ok(Arc::clone(&key.caller))
    }

    fn verify(&self, parts: &Parts, body: &[u8], secret: &Secret) -> Result<(), NotVerified> {
        self.presented.verify(parts, body, secret.expose())
    }
}

impl Caller {
    /// An AWS principal, by its ARN. AgentCore ties sessions to the same.
    fn of_principal(arn: &str, mut claims: Map<String, Value>) -> Self {
        claims.insert("sub".into(), json!(arn));
        Self::new(arn.to_owned(), claims)
    }
}

fn refusal(cause: &Cause) -> Refusal {
    let reason = match cause {
        Cause::NotVerified(NotVerified::Absent) => Reason::MissingSignature,
        Cause::NoIdentity(NoIdentity::NotAllowed(_)) => Reason::PrincipalNotAllowed,
        Cause::NoIdentity(NoIdentity::Unavailable { retry_after, .. }) => {
            Reason::IssuerUnavailable { retry_after: *retry_after }
        }
        Cause::Unread(_) => Reason::IssuerUnavailable { retry_after: RETRY_AFTER },
        _ => Reason::InvalidSignature,
    };
    Refusal::new(reason, &"".into(), cause)
}
