//! Whom TLS trusts: whoever the system does, so a company's own certificates as well.

use std::sync::{Arc, OnceLock};

use http::{Uri, uri::Scheme};
use hyper_rustls::ConfigBuilderExt;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, crypto::aws_lc_rs};

/// For connections to `endpoint`. Reading the system's certificates takes milliseconds, and there may be a hundred targets, so it is
/// done once, and not where nothing is encrypted.
///
/// # Errors
/// The system trusts no certificates at all.
pub(super) fn for_endpoint(endpoint: &Uri) -> Result<ClientConfig, rustls::Error> {
    static SYSTEM: OnceLock<ClientConfig> = OnceLock::new();
    if endpoint.scheme() != Some(&Scheme::HTTPS) {
        return Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    if let Some(known) = SYSTEM.get() {
        return Ok(known.clone());
    }
    let read = builder()?.try_with_platform_verifier()?.with_no_client_auth();
    Ok(SYSTEM.get_or_init(|| read).clone())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}
