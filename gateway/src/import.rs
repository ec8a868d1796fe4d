//! A live AgentCore Gateway as a config.toml, and whether the two still offer the same. Changes nothing on AWS and reads no
//! secret; prints nothing.

pub mod document;
pub mod drift;
pub mod gap;
pub mod live;
pub mod mirror;
pub mod offer;
pub mod read;
mod runtime;

pub use drift::Drift;
pub use gap::Gap;
pub use live::Live;
pub use mirror::{Mirror, Wish, mirror};
