//! The gateway as its peers meet it: real listeners, real tokens, real processes. A fake stands in only where a fault or
//! a moment must be chosen.

#![cfg(feature = "dev")]
#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise, in what it stands on too")]

mod answer;
mod bridge_fixture;
mod bridge_official;
mod bridge_pairs;
mod bridge_talk;
mod caller;
mod catalog_about;
mod catalog_lists;
mod catalog_program;
mod catalog_routes;
mod controlled_target;
mod extension_methods;
mod fake_target;
mod front_bad_input;
mod front_cors;
mod front_health;
mod front_issuer;
mod front_legacy;
mod front_metadata;
mod front_modern;
mod front_shutdown;
mod front_tokens;
mod harness;
mod harness_works;
mod header_params;
mod issuer;
mod layers;
mod offering;
mod program;
mod raw;
mod sample;
mod stream;
mod targets_calls;
mod targets_cancel;
mod targets_child;
mod targets_client;
mod targets_eras;
mod targets_faults;
mod targets_lists;
mod targets_lossless;
mod targets_pairs;
mod targets_stdio;
mod targets_tokens;
mod tasks_extension;
mod tasks_news;
mod tasks_older;
mod tasks_older_target;
mod tasks_talk;
mod tasks_waited;
