//! How a user of ElastiCache whose authentication is IAM signs in to a cache: with a presigned request in the place of a password. Opens
//! no connection.
//!
//! Source: the ElastiCache user guide, "Authenticating with IAM".

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use url::Url;

/// How long such a password is good, as ElastiCache has it.
pub const LIFE: Duration = Duration::from_secs(15 * 60);
/// What the request would be sent over; it is no part of the password.
const SCHEME: &str = "http://";

/// The cache to sign in to, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name of the cache, not its address.
    pub cache: String,
    /// A cache of ElastiCache Serverless, and no replication group.
    pub is_serverless: bool,
    pub user: String,
}

/// The name of a cache or of a user is none that AWS gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cache or its user has a name that AWS does not give: check the user and `aws_iam_cache` in the URL of the Redis"
)]
pub struct BadName;

/// The password with which `login` works from `now` (since the Unix epoch) on, for [`LIFE`].
///
/// # Errors
/// [`BadName`].
pub fn password(credentials: &Credentials, region: &str, login: &Login, now: Duration) -> Result<String, BadName> {
    let mut url = Url::parse(&[SCHEME, &login.cache, "/"].concat()).map_err(|_| BadName)?;
    url.query_pairs_mut().append_pair("Action", "connect").append_pair("User", &login.user);
    if login.is_serverless {
        url.query_pairs_mut().append_pair("ResourceType", "ServerlessCache");
    }
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LIFE);
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("elasticache")
        .time(UNIX_EPOCH + now)
        .settings(settings)
        .build()
        .expect("all five are set");
    let request = SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::Bytes(&[]));
    let signed = request.and_then(|request| sign(request, &params.into())).map_err(|_| BadName)?;
    let (instructions, _) = signed.into_parts();
    for (name, value) in instructions.params() {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(url.as_str().trim_start_matches(SCHEME).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(session: Option<&str>, is_serverless: bool) -> String {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", session.map(Into::into), None, "test");
        let login = Login { cache: "Tools".into(), is_serverless, user: "tools-gateway".into() };
        password(&credentials, "us-east-1", &login, Duration::from_secs(1_700_000_000)).unwrap()
    }

    /// The signature was made by botocore's presigner: `SigV4QueryAuth(credentials, "elasticache", "us-east-1", expires=900)` over
    /// `GET http://tools/?Action=connect&User=tools-gateway&ResourceType=ServerlessCache`.
    #[test]
    fn it_is_a_presigned_request_without_its_scheme() {
        assert_eq!(
            made(None, true),
            "tools/?Action=connect&User=tools-gateway&ResourceType=ServerlessCache&X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential=AKIDEXAMPLE%2F20231114%2Fus-east-1%2Felasticache%2Faws4_request&X-Amz-Date=20231114T221320Z&\
             X-Amz-Expires=900&X-Amz-SignedHeaders=host&\
             X-Amz-Signature=4fa548eef8f3b20174b3617918c058f518559fa6cf22f15727a53db58a0d9128"
        );
    }

    #[test]
    fn a_role_says_so_and_a_replication_group_has_no_type() {
        let made = made(Some("session/token"), false);
        assert!(made.contains("X-Amz-Security-Token=session%2Ftoken") && !made.contains("ResourceType"), "{made}");
    }
}
