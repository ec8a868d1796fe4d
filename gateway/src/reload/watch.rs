//! Where configurations come from: the file, read again once it has changed or when SIGHUP asks for it.
//!
//! What tells of changes are the directories in which the file is: editors put a new file in the place of the old one, and Kubernetes
//! turns a link (`..data`) to another directory. Whether something changed, its text says.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, timeout_at},
};

use super::{Held, Wanted};
use crate::config::{Draft, Environment, Mistakes};

/// After the last sign of a change, before the file is read: what changes it may not be done.
const QUIET: Duration = Duration::from_millis(100);
/// The same while somebody has it open who has written something.
const WRITING: Duration = Duration::from_secs(2);
/// What is no good is read once more after so long: it may be half a file.
const SECOND_LOOK: Duration = Duration::from_millis(500);
/// However long the signs go on.
const LONGEST: Duration = Duration::from_secs(10);

/// Reads the text of a configuration, and says where it is.
type Read = dyn Fn() -> Result<(PathBuf, String), Mistakes> + Send + Sync;

/// Where a configuration is.
pub struct Source {
    read: Box<Read>,
    /// Absent where it is in no file.
    file: Option<PathBuf>,
    environment: Environment,
}

/// A sign that the file may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Changed,
    /// Somebody writes, and is not done.
    Writing,
}

/// Tells of changes for as long as it lives.
struct Signs {
    file: PathBuf,
    watcher: RecommendedWatcher,
    directories: Vec<PathBuf>,
    seen: mpsc::UnboundedReceiver<Sign>,
}

impl Source {
    /// That `read` reads, and `file` holds if it is in one. What it refers to is looked up in `environment`.
    pub fn new(
        read: impl Fn() -> Result<(PathBuf, String), Mistakes> + Send + Sync + 'static,
        file: Option<PathBuf>,
        environment: Environment,
    ) -> Self {
        Self { read: Box::new(read), file, environment }
    }

    /// The text as it is now, and where it is.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self) -> Result<(PathBuf, String), Mistakes> {
        (self.read)()
    }
}

/// Reads the configuration of `source` again when it is no longer what it was when it was `read`, or when somebody `asks`, and gives it
/// to who puts it in effect, for as long as there is anybody. `held` is what the process cannot change.
pub async fn follow(source: Source, read: String, held: Held, asks: Arc<Notify>, wanted: mpsc::Sender<Wanted>) {
    let mut signs = source.file.as_deref().and_then(Signs::of);
    let mut known = Ok(read);
    loop {
        let asked = tokio::select! {
            () = changed(signs.as_mut()) => false,
            () = asks.notified() => true,
        };
        if let Some(signs) = signs.as_mut().filter(|_| asked) {
            // A link may lead elsewhere now.
            signs.watch();
        }
        let mut text = source.read();
        if !asked && same(&text, &known) {
            continue;
        }
        let mut outcome = resolve(&source, &held, &text);
        if outcome.config.is_err() && !asked {
            let until = Instant::now() + SECOND_LOOK;
            settled(signs.as_mut(), until).await;
            let again = source.read();
            if !same(&again, &text.as_ref().map(|(_, text)| text.clone()).map_err(ToString::to_string)) {
                outcome = resolve(&source, &held, &again);
                text = again;
            }
        }
        known = text.map(|(_, text)| text).map_err(|mistakes| mistakes.to_string());
        if wanted.send(outcome).await.is_err() {
            return;
        }
    }
}

fn resolve(source: &Source, held: &Held, text: &Result<(PathBuf, String), Mistakes>) -> Wanted {
    let resolved = match text {
        Ok((path, text)) => held.resolve(|| Draft::parse(path, text), &source.environment),
        Err(mistakes) => Err(mistakes.clone()),
    };
    match resolved {
        Ok((config, later)) => Wanted { config: Ok(Box::new(config)), later },
        Err(mistakes) => Wanted { config: Err(mistakes.to_string()), later: Vec::new() },
    }
}

fn same(text: &Result<(PathBuf, String), Mistakes>, known: &Result<String, String>) -> bool {
    match (text, known) {
        (Ok((_, text)), Ok(known)) => text == known,
        (Err(mistakes), Err(known)) => mistakes.to_string() == *known,
        _ => false,
    }
}

/// Waits until the file may have changed and nobody is at it any more; for ever where nothing tells.
async fn changed(signs: Option<&mut Signs>) {
    let Some(signs) = signs else { return std::future::pending().await };
    let Some(first) = signs.seen.recv().await else { return std::future::pending().await };
    signs.settled(first, Instant::now() + LONGEST).await;
    // A link may lead elsewhere now.
    signs.watch();
}

async fn settled(signs: Option<&mut Signs>, until: Instant) {
    tokio::time::sleep_until(until).await;
    if let Some(signs) = signs {
        while let Ok(sign) = signs.seen.try_recv() {
            signs.settled(sign, Instant::now() + LONGEST).await;
        }
    }
}

impl Signs {
    /// None where the system has no more means to tell of changes, which is in the log then.
    fn of(file: &Path) -> Option<Self> {
        let (sender, seen) = mpsc::unbounded_channel();
        // Of what changed after the configuration was read and before anybody watches, nobody tells: one look at the start, when who
        // was at it then is done.
        let _ = sender.send(Sign::Writing);
        let own = file.to_owned();
        let heed = move |event: notify::Result<Event>| {
            if let Some(sign) = event.ok().and_then(|event| sign(&event, &own)) {
                // An error means that nobody wants to know any more.
                let _ = sender.send(sign);
            }
        };
        let watcher = notify::recommended_watcher(heed).map_err(|why| {
            let file = file.display();
            tracing::warn!("changes of `{file}` are not noticed: {why}; send SIGHUP to have it read again");
        });
        let mut signs = Self { file: file.to_owned(), watcher: watcher.ok()?, directories: Vec::new(), seen };
        signs.watch();
        Some(signs)
    }

    /// Watches the directories in which the file is by now: that of its name, and that where links lead.
    fn watch(&mut self) {
        let real = self.file.canonicalize().ok();
        let directories = [Some(&self.file), real.as_ref()].into_iter().flatten().filter_map(|path| path.parent());
        let mut directories: Vec<PathBuf> = directories.map(|path| Path::new(".").join(path)).collect();
        directories.dedup();
        for gone in self.directories.iter().filter(|known| !directories.contains(known)) {
            // It may be gone indeed.
            let _ = self.watcher.unwatch(gone);
        }
        directories.retain(|directory| {
            self.directories.contains(directory)
                || match self.watcher.watch(directory, RecursiveMode::NonRecursive) {
                    Ok(()) => true,
                    Err(why) => {
                        let (file, directory) = (self.file.display(), directory.display());
                        tracing::warn!("changes of `{file}` in `{directory}` are not noticed: {why}; send SIGHUP to have it read again");
                        false
                    }
                }
        });
        self.directories = directories;
    }

    /// Waits until there was no sign for a while, but not longer than `until`.
    async fn settled(&mut self, first: Sign, until: Instant) {
        let mut last = first;
        loop {
            let quiet = if last == Sign::Writing { WRITING } else { QUIET };
            match timeout_at(until.min(Instant::now() + quiet), self.seen.recv()).await {
                Ok(Some(sign)) => last = sign,
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// What an event in a directory says of `file`. Other files there may be written all the time, such as logs; but a link of another
/// name may be on the way to this one.
fn sign(event: &Event, file: &Path) -> Option<Sign> {
    let is_own = || event.paths.iter().any(|path| path.file_name() == file.file_name());
    match event.kind {
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => is_own().then_some(Sign::Writing),
        EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Modify(ModifyKind::Metadata(_)) => {
            is_own().then_some(Sign::Changed)
        }
        EventKind::Access(_) => None,
        _ => Some(Sign::Changed),
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use tokio::time::timeout;

    use super::*;

    const GOOD: &str = "authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n";
    /// What does not happen within so long does not happen.
    const PATIENCE: Duration = Duration::from_secs(60);

    impl Signs {
        async fn until(&mut self, wanted: Sign) {
            while timeout(PATIENCE, self.seen.recv()).await.unwrap().unwrap() != wanted {}
        }
    }

    /// Whoever writes it in pieces is waited for until he closes it.
    #[tokio::test]
    async fn a_file_that_is_written_in_pieces_is_not_taken_half() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        let mut file = fs::File::create(&path).unwrap();
        let mut signs = Signs::of(&path).unwrap();
        signs.until(Sign::Writing).await;
        for piece in ["a", "b"] {
            file.write_all(piece.as_bytes()).unwrap();
            signs.until(Sign::Writing).await;
            let begun = Instant::now();
            let waits = timeout(3 * QUIET, signs.settled(Sign::Writing, begun + LONGEST)).await.is_err();
            assert!(waits || begun.elapsed() >= WRITING);
        }
        drop(file);
        signs.until(Sign::Changed).await;
        timeout(PATIENCE, signs.settled(Sign::Changed, Instant::now() + PATIENCE)).await.unwrap();
    }

    /// Half a file is no TOML, or says less than it should.
    #[tokio::test]
    async fn what_is_no_good_is_looked_at_again_before_it_is_called_bad() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(&path, GOOD).unwrap();
        let environment = || Environment::of::<&str, &str>([]);
        let held = Held::of(&Draft::parse(&path, GOOD).unwrap().resolve(&environment()).unwrap());
        let (read, at) = (Arc::new(AtomicUsize::new(0)), path.clone());
        let reads = Arc::clone(&read);
        let look = move || {
            let text = if read.fetch_add(1, Ordering::Relaxed) == 0 { "authorizer = \"no" } else { GOOD };
            Ok((at.clone(), text.to_owned()))
        };
        let source = Source::new(look, Some(path), environment());
        let (sender, mut wanted) = mpsc::channel(1);
        let following = tokio::spawn(follow(source, String::new(), held, Arc::default(), sender));
        let first = timeout(PATIENCE, wanted.recv()).await.unwrap().unwrap();
        assert!(first.config.is_ok(), "{:?}", first.config);
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        following.abort();
    }
}
