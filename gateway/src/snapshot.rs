//! What targets listed last, kept in a file: the next start has complete lists at once, also of targets that are down then. Lists
//! nobody itself.
//!
//! What a target says stands there as it said it. It counts again for the same place of the same server (`Target::fingerprint`), as
//! long as it is not too old. Lists that are for one caller alone are never in it.

use std::{
    borrow::Cow,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use causeway_core::{
    catalog::{Kind, Lists, Page, PerKind},
    era::Era,
};
use causeway_oidc::clock::Clock;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config,
    discovery::{TargetState, View},
    opaque::digest_of,
    targets::{About, Target},
};

/// What it is, in its first bytes.
const FORMAT: &str = "causeway-snapshot";
/// Of the format. Another one is not read.
const VERSION: u32 = 1;
/// Bytes of a file that is written or read.
const MOST: u64 = 256 * 1024 * 1024;
/// After a change, before it is written: others come with it.
const QUIET: Duration = Duration::from_secs(1);
/// However often lists change.
const LONGEST: Duration = Duration::from_secs(10);
/// When lists were listed is written only so often, if nothing else changes.
const TIMES: Duration = Duration::from_secs(3600);

/// The file of one configuration.
#[derive(Debug)]
pub struct Snapshot {
    file: PathBuf,
    max_age: Duration,
    clock: Clock,
    /// What it holds.
    held: Vec<Held>,
    /// When that was written or read.
    since: Instant,
    /// It was said that it cannot be written.
    complained: bool,
}

/// What is kept of one place of a target.
#[derive(Debug, Deserialize, Serialize)]
pub struct Kept<'a> {
    /// Its name among the places of all targets.
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    fingerprint: Cow<'a, str>,
    /// When it was listed, since the Unix epoch.
    listed_seconds: u64,
    about: Option<KeptAbout>,
    /// Pages of entries as they came, of each list that there was.
    #[serde(borrow)]
    lists: [Option<Vec<Vec<Cow<'a, RawValue>>>>; 4],
}

#[derive(Debug, Deserialize, Serialize)]
struct KeptAbout {
    legacy: bool,
    version: String,
    capabilities: String,
    server_info: Option<String>,
    instructions: Option<String>,
}

/// The whole file.
#[derive(Deserialize, Serialize)]
struct File<'a> {
    format: Cow<'a, str>,
    version: u32,
    #[serde(borrow)]
    targets: Vec<Kept<'a>>,
}

/// What tells two contents apart.
#[derive(Debug, PartialEq)]
struct Held {
    path: String,
    fingerprint: Arc<str>,
    about: Option<About>,
    lists: Lists,
    listed: Option<Duration>,
}

/// Why a file counts for nothing.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("it is larger than {MOST} bytes")]
    TooLarge,
    #[error("it is broken: {0}")]
    Broken(#[from] serde_json::Error),
    #[error("it is none of this program's, or of another version of it")]
    Foreign,
}

impl Snapshot {
    /// That of the configuration at `config`, where `settings` say. Nothing is read yet.
    pub fn new(settings: &config::Snapshot, config: &Path, clock: Clock) -> Self {
        let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
        let name = format!("lists-{}.json", &digest_of(config.as_os_str().as_encoded_bytes())[..22]);
        let (file, max_age) = (settings.directory.join(name), settings.max_age);
        Self { file, max_age, clock, held: Vec::new(), since: Instant::now(), complained: false }
    }

    /// What is known of `targets` at a start, in their order: what they listed before, where that counts.
    pub fn restore(&mut self, targets: &[Arc<Target>]) -> Vec<TargetState> {
        let text = match read(&self.file) {
            Ok(text) => text,
            Err(why) => return self.without(targets, &why),
        };
        let kept = match parse(&text) {
            Ok(kept) => kept,
            Err(why) => return self.without(targets, &why),
        };
        let oldest = self.clock.now().saturating_sub(self.max_age);
        let (mut old, mut restored) = (0, 0);
        let states = targets.iter().map(|target| {
            let path = target.path().to_string();
            let same = |kept: &&Kept<'_>| kept.path == path && *kept.fingerprint == **target.fingerprint();
            match kept.iter().find(same) {
                None => TargetState::new(target),
                Some(kept) if Duration::from_secs(kept.listed_seconds) < oldest => {
                    old += 1;
                    TargetState::new(target)
                }
                Some(kept) => {
                    restored += 1;
                    kept.state(target)
                }
            }
        });
        let states: Vec<TargetState> = states.collect();
        let file = self.file.display();
        if old > 0 {
            tracing::warn!(
                "{old} of the lists in `{file}` are older than `state.snapshot_max_age_seconds`: they count no more"
            );
        }
        if restored > 0 {
            tracing::info!(
                "{restored} of {} targets have the lists that `{file}` kept until they are listed",
                targets.len()
            );
        }
        self.held = states.iter().filter_map(Held::of).collect();
        states
    }

    fn without(&self, targets: &[Arc<Target>], why: &Unusable) -> Vec<TargetState> {
        let file = self.file.display();
        match why {
            Unusable::Unreadable(why) if why.kind() == io::ErrorKind::NotFound => {
                tracing::debug!("there is no `{file}` yet");
            }
            why => tracing::warn!("the lists that `{file}` kept do not count: {why}"),
        }
        targets.iter().map(|target| TargetState::new(target)).collect()
    }

    /// Writes what is known of the targets as it changes, until it is `over`, and then once more.
    pub async fn keep(mut self, mut latest: watch::Receiver<Arc<View>>, over: CancellationToken) {
        let mut is_known = false;
        loop {
            let ended = tokio::select! {
                changed = latest.changed() => changed.is_err(),
                () = over.cancelled() => true,
            };
            is_known |= !ended;
            if !is_known {
                return;
            }
            if !ended {
                settled(&mut latest, &over).await;
            }
            let view = Arc::clone(&latest.borrow_and_update());
            let now: Vec<Held> = view.paths.iter().filter_map(Held::of).collect();
            let is_due = self.since.elapsed() >= TIMES || over.is_cancelled();
            if now != self.held && (is_due || !Held::only_times_differ(&now, &self.held)) {
                self = self.written(view, now).await;
            }
            if ended || over.is_cancelled() {
                return;
            }
        }
    }

    async fn written(mut self, view: Arc<View>, now: Vec<Held>) -> Self {
        let file = self.file.clone();
        // Serializing ten thousand tools takes a while, and so may the disk.
        let written = tokio::task::spawn_blocking(move || write(&file, &view)).await;
        match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(()) => self.complained = false,
            Err(why) if !self.complained => {
                let file = self.file.display();
                tracing::warn!(
                    "what the targets list cannot be kept in `{file}`: {why}; choose another `state.directory`, or write \
                     `state.snapshot = false`"
                );
                self.complained = true;
            }
            Err(why) => tracing::debug!("what the targets list cannot be kept: {why}"),
        }
        // One that could not be written is tried again with the next change.
        (self.held, self.since) = (now, Instant::now());
        self
    }
}

impl<'a> Kept<'a> {
    /// What is to be kept of this place; nothing of one that was never listed.
    pub fn of(state: &'a TargetState) -> Option<Self> {
        let listed = state.listed?;
        let about = state.about.as_ref().map(|about| KeptAbout {
            legacy: about.era == Era::Legacy,
            version: about.version.clone(),
            capabilities: about.capabilities.clone(),
            server_info: about.server_info.clone(),
            instructions: about.instructions.clone(),
        });
        let lists = Kind::ALL.map(|kind| {
            let pages = state.lists[kind].as_deref().filter(|pages| !pages.iter().any(|page| page.private))?;
            let raw = |entry: &causeway_core::catalog::Entry| RawValue::from_string(entry.json.to_string()).ok();
            Some(pages.iter().map(|page| page.entries.iter().filter_map(raw).map(Cow::Owned).collect()).collect())
        });
        Some(Self {
            path: state.path.to_string().into(),
            fingerprint: Cow::Borrowed(&state.fingerprint),
            listed_seconds: listed.as_secs(),
            about,
            lists,
        })
    }

    /// What is known by it of `target`, which nobody has asked yet.
    pub fn state(&self, target: &Target) -> TargetState {
        let about = self.about.as_ref().map(|kept| About {
            era: if kept.legacy { Era::Legacy } else { Era::Modern },
            version: kept.version.clone(),
            capabilities: kept.capabilities.clone(),
            server_info: kept.server_info.clone(),
            instructions: kept.instructions.clone(),
        });
        let lists = PerKind::of(|kind| {
            let pages = self.lists[kind as usize].as_ref()?;
            let pages = pages.iter().filter_map(|entries| {
                let entries: Vec<&str> = entries.iter().map(|entry| entry.get()).collect();
                let result = format!(r#"{{"{}":[{}]}}"#, kind.member(), entries.join(","));
                Page::parse(kind, &result).ok()
            });
            Some(pages.collect())
        });
        let listed = Some(Duration::from_secs(self.listed_seconds));
        TargetState { about, lists, listed, restored: true, ..TargetState::new(target) }
    }
}

impl Held {
    fn of(state: &TargetState) -> Option<Self> {
        state.listed?;
        let (fingerprint, path) = (Arc::clone(&state.fingerprint), state.path.to_string());
        let (about, lists) = (state.about.clone(), state.lists.clone());
        Some(Self { path, fingerprint, about, lists, listed: state.listed })
    }

    fn only_times_differ(one: &[Self], other: &[Self]) -> bool {
        let rest = |held: &Self| (held.path.clone(), held.fingerprint.clone(), held.about.clone(), held.lists.clone());
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| rest(one) == rest(other))
    }
}

/// Waits until nothing has changed for a while, or for so long that it is to be written all the same.
async fn settled(latest: &mut watch::Receiver<Arc<View>>, over: &CancellationToken) {
    let last = Instant::now() + LONGEST;
    loop {
        tokio::select! {
            () = sleep_until(last.min(Instant::now() + QUIET)) => return,
            () = over.cancelled() => return,
            changed = latest.changed() => if changed.is_err() { return },
        }
    }
}

fn read(file: &Path) -> Result<String, Unusable> {
    if fs::metadata(file)?.len() > MOST {
        return Err(Unusable::TooLarge);
    }
    Ok(fs::read_to_string(file)?)
}

fn parse(text: &str) -> Result<Vec<Kept<'_>>, Unusable> {
    #[derive(Deserialize)]
    struct Head<'a> {
        format: Cow<'a, str>,
        version: u32,
    }
    let head: Head<'_> = serde_json::from_str(text)?;
    if head.format != FORMAT || head.version != VERSION {
        return Err(Unusable::Foreign);
    }
    let file: File<'_> = serde_json::from_str(text)?;
    Ok(file.targets)
}

/// Puts a new file in the place of the old one: whoever reads it finds one of the two whole.
fn write(file: &Path, view: &View) -> io::Result<()> {
    let targets = view.paths.iter().filter_map(Kept::of).collect();
    let text = serde_json::to_vec(&File { format: FORMAT.into(), version: VERSION, targets })?;
    if text.len() as u64 > MOST {
        return Err(io::Error::other(format!("it would be larger than {MOST} bytes")));
    }
    if let Some(directory) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let put = || {
        let mut opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        opened.write_all(&text)?;
        opened.sync_all()?;
        fs::rename(&new, file)
    };
    put().inspect_err(|_| {
        // It may not even be there.
        let _ = fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_snapshot_is_said() {
        let check = |text: &str, expected: &str| {
            let why = parse(text).unwrap_err().to_string();
            assert!(why.starts_with(expected), "{text}: {why}");
        };
        check("", "it is broken: EOF");
        check(r#"{"format":"causeway-snapshot","version":1,"targets":[{"path":"#, "it is broken: EOF");
        check(r#"{"format":"causeway-snapshot","version":1,"targets":[{}]}"#, "it is broken: missing field");
        check(r#"{"format":"causeway-snapshot","version":2,"targets":7}"#, "it is none of this program's");
        check(r#"{"format":"other","version":1}"#, "it is none of this program's");
        assert!(parse(r#"{"format":"causeway-snapshot","version":1,"targets":[]}"#).unwrap().is_empty());
    }
}
