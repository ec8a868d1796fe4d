//! What Causeway needs of AWS: who it is there, signed requests, calls of AWS's JSON APIs, secrets by ARN. Runs no server
//! and decides nothing about targets.

pub mod arn;
pub mod call;
pub mod caller_identity;
mod chain;
pub mod cognito;
pub mod elasticache;
pub mod endpoint;
pub mod identity;
pub mod refusal;
pub mod secret;
pub mod sign;
pub mod verify;

/// What the AWS SDK may log, whatever `RUST_LOG` says: below that it shows whole answers to requests that it signed, which may
/// repeat what proves who we are, and warns at length of each source without credentials.
pub const LOG_DIRECTIVES: [&str; 2] = ["aws_config=error", "aws_smithy_runtime=error"];

pub use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, future::ProvideCredentials as FutureCredentials},
};

pub use arn::Arn;
pub use call::{Aws, CallError};
pub use identity::{Identity, NoCredentials, NoRegion};
