//! Measures the gateway beside nginx and other MCP gateways. docs/benchmarks.md says what is measured and how.

pub mod candidate;
pub mod form;
pub mod goals;
pub mod ground;
pub mod issuer;
pub mod load;
mod machine;
pub mod measure;
pub mod pin;
pub mod process;
pub mod report;
pub mod results;
pub mod run;
pub mod upstream;
