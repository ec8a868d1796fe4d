//! What must hold of every parser of bytes that others wrote, whatever they wrote: one module a parser, each with one function that
//! panics where something does not hold. `fuzz/` searches for inputs that break it; `cargo test` replays the inputs in
//! `fuzz/corpus`, so that what was found once stays found. Makes no inputs itself.

#[cfg(feature = "gateway")]
pub mod addresses;
#[cfg(feature = "gateway")]
pub mod audit;
pub mod authorizer;
pub mod aws_names;
pub mod catalog;
#[cfg(feature = "gateway")]
pub mod client_files;
pub mod coming;
#[cfg(feature = "gateway")]
pub mod config;
pub mod envelope;
pub mod era_requests;
pub mod era_responses;
pub mod header_params;
mod input;
pub mod issuer_documents;
pub mod json;
pub mod jwt;
#[cfg(feature = "gateway")]
pub mod lambda_events;
pub mod names;
pub mod object_edit;
pub mod seal;
pub mod signed_requests;
pub mod sigv4;
pub mod sse;
#[cfg(feature = "gateway")]
pub mod stdio_lines;
pub mod tasks;
pub mod traceparent;
pub mod uri_template;
pub mod wire_log;

/// One parser's name, as in `fuzz/corpus` and `fuzz/fuzz_targets`, and what must hold of it.
pub type Property = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: &[Property] = &[
    #[cfg(feature = "gateway")]
    ("addresses", addresses::check),
    #[cfg(feature = "gateway")]
    ("audit", audit::check),
    ("authorizer", authorizer::check),
    ("aws_names", aws_names::check),
    ("catalog", catalog::check),
    #[cfg(feature = "gateway")]
    ("client_files", client_files::check),
    ("coming", coming::check),
    #[cfg(feature = "gateway")]
    ("config", config::check),
    ("envelope", envelope::check),
    ("era_requests", era_requests::check),
    ("era_responses", era_responses::check),
    ("header_params", header_params::check),
    ("issuer_documents", issuer_documents::check),
    ("jwt", jwt::check),
    #[cfg(feature = "gateway")]
    ("lambda_events", lambda_events::check),
    ("names", names::check),
    ("object_edit", object_edit::check),
    ("seal", seal::check),
    ("signed_requests", signed_requests::check),
    ("sigv4", sigv4::check),
    ("sse", sse::check),
    #[cfg(feature = "gateway")]
    ("stdio_lines", stdio_lines::check),
    ("tasks", tasks::check),
    ("traceparent", traceparent::check),
    ("uri_template", uri_template::check),
    ("wire_log", wire_log::check),
];
