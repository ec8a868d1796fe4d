//! Verifies access tokens of an OIDC issuer. The gateway uses it for its callers, the sample servers for theirs.

pub mod clock;
