//! The parts of config.toml that choose among what is listed: by patterns over names or URIs, of one target or of all. What a
//! target's entries are called toward clients is chosen here too.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Located, Map, Member};

/// Which of its tools (or prompts) a target gives to clients, and what they are called. All names and patterns are over the
/// target's own names; in patterns `*` stands for any text and `?` for one character.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Only what one of these patterns matches. Default: everything.
    #[schemars(length(min = 1))]
    pub include: Member<Vec<Located<String>>>,
    /// Without what one of these patterns matches, whatever `include` says. Default: nothing is left out.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub exclude: Vec<Located<String>>,
    /// Other names: own name = new name. It stands after `target___`, as the own name would.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub rename: Map<String>,
    /// Other titles, which people read: own name = title.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub title: Map<String>,
    /// Other descriptions, which models read: own name = text.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub describe: Map<String>,
}

/// A choice by patterns, in which `*` stands for any text and `?` for one character.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Only what one of these patterns matches. Default: everything.
    #[schemars(length(min = 1))]
    pub include: Member<Vec<Located<String>>>,
    /// Without what one of these patterns matches, whatever `include` says. Default: nothing is left out.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub exclude: Vec<Located<String>>,
}
