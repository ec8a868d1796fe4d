//! The mirror of the section `[audit]` of config.toml. It checks nothing; `resolve/audit.rs` does.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Located, Member};

/// 16 KiB.
pub const ARGUMENT_BYTES: u64 = 16 * 1024;

/// The audit log: one line of JSON for each call.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The file that lines are added to, made for its owner alone to read; opened anew after SIGHUP. `-` is standard output.
    #[schemars(required)]
    pub file: Member<String>,
    /// What happens when lines come faster than they can be written, because the disk is slow or full: `"drop"` answers calls
    /// all the same and says in the log how many have no line; `"refuse"` answers them with HTTP 503 before anything is done.
    /// Default: `drop`.
    #[schemars(extend("default" = "drop"))]
    pub on_full: Member<OnFull>,
    /// Keep the arguments of tools and prompts too, redacted. Default: `false`.
    #[schemars(extend("default" = false))]
    pub arguments: Member<bool>,
    /// Arguments over so many bytes are left out, and their size is said. Default: 16384.
    #[schemars(range(min = 1, max = 1_073_741_824), extend("default" = ARGUMENT_BYTES))]
    pub argument_bytes: Member<u64>,
    /// Names of members whose values are never kept, beside those that sound like a secret: password, token, key and so on.
    /// Default: none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub redact_names: Vec<Located<String>>,
    /// The same by place: JSON pointers from the arguments on, such as `/customer/iban`; a step `*` stands for any. Default:
    /// none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub redact_pointers: Vec<Located<String>>,
    /// The same by what a value looks like: regular expressions. Default: none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub redact_patterns: Vec<Located<String>>,
}

/// What happens when lines come faster than they can be written.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// Calls go on without a line, and the log says how many.
    Drop,
    /// Calls are refused.
    Refuse,
}
