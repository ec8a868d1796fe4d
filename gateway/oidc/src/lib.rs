//! Verifies access tokens of an OIDC issuer. The gateway uses it for its callers, the sample servers for theirs. What the
//! claims must say beyond issuer and time is none of its business. Time, small documents over HTTP and values that wear out
//! are for everyone who asks other parties for such.

pub mod clock;
pub mod discovery;
pub mod fetch;
pub mod kept;
pub mod keys;
pub mod token;
pub mod verifier;
pub mod wire_log;

#[cfg(test)]
mod forge;

pub use token::{Claims, TokenError};
pub use verifier::{IssuerUnavailable, Verifier};
