//! stub
use causeway_core::name::TargetName;
use causeway_oidc::clock::Clock;
#[derive(Debug, Clone)] pub struct Credential;
#[derive(Debug, Clone)] pub struct Shown;
#[derive(Debug, Clone, thiserror::Error)] #[error("stub")] pub struct CredentialError;
impl Credential {
    pub fn new(_: &TargetName, _: &crate::config::Credential, _: reqwest::Client, _: Clock) -> Self { Self }
    pub async fn apply(&self, _: &mut http::request::Parts) -> Result<Shown, CredentialError> { Ok(Shown) }
    pub async fn renew(&self, _: &Shown) -> Result<bool, CredentialError> { Ok(false) }
}
