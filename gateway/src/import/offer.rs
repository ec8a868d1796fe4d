//! What a gateway offers: fetched by the gateway's own target code, whether it is one that runs somewhere or one that a
//! config.toml describes. Compares nothing.

use std::path::Path;

use causeway_core::catalog::{Kind, Page};
use causeway_oidc::clock::Clock;

use super::{document::Block, drift::Offer};
use crate::{
    app::App,
    config::{Config, Draft, Environment, Mistakes},
    discovery::TargetState,
};

/// What lets us in at a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    /// The token in this variable.
    Bearer(String),
    /// A signature with the AWS credentials of this process, or of a profile.
    Signature {
        region: String,
        profile: Option<String>,
    },
}

/// A gateway could not be listed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{whose} cannot be listed: {why}")]
pub struct Unlisted {
    /// Which one.
    pub whose: String,
    pub why: String,
}

/// A configuration in which the gateway at `url` is the only target and keeps the names that it gives.
///
/// # Errors
/// What the reader of config.toml has against the URL.
pub fn config(url: &str, shown: &Shown, environment: &Environment) -> Result<Config, Mistakes> {
    let mut text = Block::default();
    text.set("authorizer", "none").array_table("targets").set("name", "gateway").set("kind", "agentcore-gateway");
    text.set("http.endpoint", url);
    match shown {
        Shown::Nothing => (),
        Shown::Bearer(variable) => {
            text.table("targets.credential.api_key").set("key_env", variable.as_str());
            text.set("parameter_name", "Authorization").set("prefix", "Bearer ");
        }
        Shown::Signature { region, profile } => {
            text.table("targets.credential.sigv4")
                .set("region", region.as_str())
                .set_some("profile", profile.as_deref());
        }
    }
    Draft::parse(Path::new("import"), text.as_str())?.resolve(environment)
}

/// Lists all targets of `config` once and merges what they list.
///
/// # Errors
/// [`Unlisted`] if a target does not give all of its lists.
pub async fn offer(whose: &str, config: Config) -> Result<Offer, Unlisted> {
    let unlisted = |why: String| Unlisted { whose: whose.into(), why };
    let app = App::build(config, Clock::system()).map_err(|error| unlisted(format!("{error:#}")))?;
    let view = app.survey_merged().await;
    if let Some(error) = view.targets.iter().find_map(TargetState::error_text) {
        return Err(unlisted(error));
    }
    let entries = |kind: Kind| {
        let list = String::from_utf8_lossy(view.catalog.list(kind).json()).into_owned();
        let page = Page::parse(kind, &format!(r#"{{"{}":{list}}}"#, kind.member()));
        page.map(|page| page.entries).map_err(|error| unlisted(error.to_string()))
    };
    let mut offer = Offer::default();
    for kind in Kind::ALL {
        offer[kind] = entries(kind)?;
    }
    Ok(offer)
}
