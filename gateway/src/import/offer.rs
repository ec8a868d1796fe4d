//! What a gateway offers: fetched by the gateway's own target code, whether it is one that runs somewhere or one that a
//! config.toml describes. Compares nothing.

use causeway_core::catalog::{Kind, Page};
use causeway_oidc::clock::Clock;

use super::drift::Offer;
use crate::{app::App, config::Config, discovery::TargetState};

/// A gateway could not be listed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{whose} cannot be listed: {why}")]
pub struct Unlisted {
    /// Which one.
    pub whose: String,
    pub why: String,
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
