//! A toolset as config.toml says it: an endpoint of its own that shows a part of what the targets offer.

use std::sync::Arc;

use causeway_core::{
    catalog::Shown,
    name::{Audience, ToolsetName},
};

use super::Authorizer;

/// One toolset.
#[derive(Clone, Debug, PartialEq)]
pub struct Toolset {
    /// The last part of its URL.
    pub name: ToolsetName,
    /// What it is for, toward clients.
    pub description: Option<String>,
    pub shown: Arc<Shown>,
    /// Who may call; `None`: whoever may call the gateway.
    pub authorizer: Option<Authorizer>,
    /// For the client's model; `None`: what the targets say that it shows something of.
    pub instructions: Option<String>,
    /// Who uses it.
    pub audience: Audience,
}
