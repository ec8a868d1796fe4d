//! From what was read of a live gateway to the text of a config.toml that serves the same, and what is different about it.
//! Reads nothing from AWS. What it writes, the program's own reader of config.toml accepts: whatever that refuses of a target
//! is a reason to leave the target out.

mod authorizer;
mod credential;
mod gateway;
mod guard;
mod policy;
mod primary;
mod target;
mod traffic;

use std::{collections::BTreeMap, path::Path, time::Duration};

use super::{document::Block, gap::Gap, live::Live};
use crate::config::{Draft, Environment, Label, Mistakes, Subject};

/// In place of every secret that the text refers to, while it is read back: long enough for any use.
const STAND_IN: &str = "a secret that stands for all that are looked up only when the gateway starts";

/// Where a person has to fill in something.
const TO_FILL_IN: &str = "FILL-IN";

/// How the config is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// The live gateway itself is the first target, and the others stand by.
    pub standby: bool,
    /// The config is written even if more is let in with it than there.
    pub allow_more_callers: bool,
    /// When the gateway was read, since the Unix epoch.
    pub now: Duration,
}

/// A config.toml and what is to be said about it.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// The text.
    pub config: String,
    /// What lets in more callers than there, or more of their calls. Empty unless the wish allows it.
    pub more_callers: Vec<Gap>,
    /// What else is different, of the gateway first and then by target.
    pub gaps: Vec<Gap>,
    /// How many targets there are, and how many of them are in the config.
    pub targets: usize,
    pub mirrored: usize,
    /// Variables that hold secrets and must be set where the gateway starts.
    pub variables: Vec<String>,
}

/// Why there is no config that would do.
#[derive(Debug, thiserror::Error)]
pub enum Unmirrorable {
    #[error(
        "no target of the gateway can be mirrored, so there is nothing to serve; with `--standby` the live gateway itself becomes \
         the target{}", list(.0)
    )]
    NoTarget(Vec<Gap>),
    #[error(
        "the gateway's authorizer is `{0}`, which this version does not know: whoever is refused there might be let in here"
    )]
    Authorizer(String),
    #[error(
        "more would be let in here than at the live gateway; `--allow-more-callers` writes the config all the same and says so \
         in it{}", list(.0)
    )]
    MoreCallers(Vec<Gap>),
    #[error("the gateway has settings that config.toml does not take:\n{0}")]
    Settings(#[from] Mistakes),
}

/// One target, written.
struct Part {
    name: String,
    block: Block,
    gaps: Vec<Gap>,
    left_out: bool,
}

/// Writes the config.
///
/// # Errors
/// [`Unmirrorable`] where there is nothing to serve, or where more would be let in than there and the wish does not allow it.
pub fn mirror(live: &Live, wish: Wish) -> Result<Mirror, Unmirrorable> {
    let authorizer = authorizer::block(live)?;
    let shared = if wish.standby { primary::shared(live) } else { Vec::new() };
    let more_callers: Vec<Gap> =
        guard::lost(live).into_iter().chain(authorizer.lost.iter().cloned()).chain(shared).collect();
    if !more_callers.is_empty() && !wish.allow_more_callers {
        return Err(Unmirrorable::MoreCallers(more_callers));
    }
    let of_gateway: Vec<Gap> = wish
        .standby
        .then(primary::one_caller)
        .into_iter()
        .chain(authorizer.different.iter().cloned())
        .chain(gateway::gaps(live, wish))
        .collect();
    let mut parts: Vec<Part> = live.targets.iter().map(|it| target::part(live, it, wish)).collect();
    loop {
        let served: Vec<&str> = parts.iter().filter(|part| !part.left_out).map(|part| part.name.as_str()).collect();
        let (targets, mirrored) = (parts.len(), served.len());
        let primary = wish.standby.then(|| primary::part(live, &served));
        let mut text = gateway::head(live, &more_callers, &of_gateway, &parts, wish);
        let gaps: Vec<Gap> =
            of_gateway.iter().cloned().chain(parts.iter().flat_map(|part| part.gaps.clone())).collect();
        if mirrored == 0 && primary.is_none() {
            return Err(Unmirrorable::NoTarget(gaps));
        }
        text.append(&authorizer.before_tables).append(&gateway::settings(live)).append(&authorizer.table);
        let variables: Vec<String> =
            primary.as_ref().and_then(|primary| primary.variable.clone()).into_iter().collect();
        text.append(&primary.map(|primary| primary.block).unwrap_or_default());
        parts.iter().for_each(|part| _ = text.append(&part.text(wish)));
        let config = text.as_str().to_owned();
        match refused(&config, &variables) {
            None => return Ok(Mirror { config, more_callers, gaps, targets, mirrored, variables }),
            Some(mistakes) => leave_out(&mut parts, mistakes)?,
        }
    }
}

/// What the program's reader has against the text, in which these variables stand for secrets.
fn refused(config: &str, variables: &[String]) -> Option<Mistakes> {
    let environment = Environment::of(variables.iter().map(|name| (name.clone(), STAND_IN)));
    Draft::parse(Path::new("config.toml"), config).and_then(|draft| draft.resolve(&environment)).err()
}

/// Leaves out the targets that have mistakes.
///
/// # Errors
/// The mistakes, if one is not a target's, or of one that is left out already.
fn leave_out(parts: &mut [Part], mistakes: Mistakes) -> Result<(), Mistakes> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mistake in &mistakes.mistakes {
        let Some(Subject::Target(Label::Name(name))) = &mistake.subject else { return Err(mistakes) };
        reasons.entry(name.clone()).or_default().push(mistake.message.clone());
    }
    for (name, reasons) in reasons {
        // Of two with one name, the reader has something against the second.
        let part = parts.iter_mut().rfind(|part| part.name == name && !part.left_out);
        let Some(part) = part else { return Err(mistakes) };
        part.gaps = vec![Gap::of_target(&name, "config.toml does not take it", reasons.join("; "))];
        part.left_out = true;
    }
    Ok(())
}

impl Wish {
    /// What comes of a gap in what is served here. With the live gateway before it, only now and then.
    fn here(self, consequence: &str) -> String {
        match self.standby {
            true => format!("while the live gateway does not answer, {consequence}"),
            false => consequence.to_owned(),
        }
    }
}

impl Part {
    fn text(&self, wish: Wish) -> Block {
        let mut text = Block::default();
        text.gap();
        for gap in &self.gaps {
            let word = match (self.left_out, wish.standby) {
                (true, true) => "Does not stand by",
                (true, false) => "Not here",
                (false, _) => "Different here",
            };
            text.comment(&format!("{word}: {}.", gap.reason()));
        }
        match self.left_out {
            true => text.append(&self.block.commented_out()),
            false => text.append(&self.block),
        };
        text
    }
}

fn list(gaps: &[Gap]) -> String {
    gaps.iter().map(|gap| format!("\n  {gap}")).collect()
}
