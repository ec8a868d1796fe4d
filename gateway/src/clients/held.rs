//! One file on disk: read once, replaced as a whole or not at all, with a copy of what it was beside it. Does not look into it.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// A longer file is no configuration.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// From a link to the file that it names.
const MOST_LINKS: usize = 40;
/// Copies that one second may leave.
const MOST_COPIES: u32 = 1000;

/// A file as it was when it was read.
#[derive(Clone, Debug)]
pub struct Held {
    /// As it was named.
    path: PathBuf,
    /// Where links lead.
    real: PathBuf,
    before: Option<String>,
}

/// What came of replacing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// A copy of what it was; none where there was no file.
    pub copy: Option<PathBuf>,
}

/// Why a file cannot be read or replaced.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    #[error("`{path}` cannot be {done}: {why}")]
    Io { path: PathBuf, done: &'static str, why: io::Error },
    #[error("`{0}` is no file but something else, such as a folder or a device: name another with `--file`")]
    NoFile(PathBuf),
    #[error("`{0}` is no UTF-8 text")]
    NotText(PathBuf),
    #[error("`{0}` holds more than {MOST_BYTES} bytes")]
    TooLong(PathBuf),
    #[error("`{0}` was changed by somebody else meanwhile: run the command again")]
    Changed(PathBuf),
    #[error("`{0}` has too many copies beside it: delete some")]
    TooManyCopies(PathBuf),
}

impl Held {
    /// Reads the file at `path`, if there is one.
    ///
    /// # Errors
    /// It cannot be read, or is no text.
    pub fn read(path: &Path) -> Result<Self, HeldError> {
        // A link that leads nowhere yet is written through as well.
        let real = fs::canonicalize(path).unwrap_or_else(|_| followed(path));
        Ok(Self { before: text_of(&real)?, path: path.to_owned(), real })
    }

    /// As it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it held; none where there was no file.
    pub fn text(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Puts `text` in its place, at once and as a whole; a reader sees the one or the other. Its mode stays, and so does a
    /// link that leads to it.
    ///
    /// # Errors
    /// It is then as it was.
    pub fn replace(&self, text: &str, now: Duration) -> Result<Replaced, HeldError> {
        let directory = self.real.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(directory).map_err(failed(directory, "made"))?;
        // Two of us at once would both see what was there before, and the second would write over the first.
        let _alone = alone_in(directory).map_err(failed(directory, "locked"))?;
        if text_of(&self.real)? != self.before {
            return Err(HeldError::Changed(self.path.clone()));
        }
        let copy = match &self.before {
            Some(before) => Some(self.copy(before, now)?),
            None => None,
        };
        let draft = self.beside(&format!(".{}", std::process::id()), ".tmp");
        let written = self.write(&draft, text).and_then(|()| fs::rename(&draft, &self.real));
        written.map_err(|why| {
            // What is left of it is of no use to anybody.
            let _ = fs::remove_file(&draft);
            HeldError::Io { path: self.path.clone(), done: "written", why }
        })?;
        Ok(Replaced { copy })
    }

    /// Writes a copy of what it was, under a name that nothing has.
    fn copy(&self, before: &str, now: Duration) -> Result<PathBuf, HeldError> {
        let stamp = stamp(now);
        for number in 1..=MOST_COPIES {
            let more = if number == 1 { String::new() } else { format!("-{number}") };
            let copy = self.beside("", &format!(".bak-{stamp}{more}"));
            match self.write(&copy, before) {
                Ok(()) => return Ok(copy),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
                Err(why) => return Err(HeldError::Io { path: copy, done: "written", why }),
            }
        }
        Err(HeldError::TooManyCopies(self.path.clone()))
    }

    /// A name in the same directory.
    fn beside(&self, before: &str, after: &str) -> PathBuf {
        let mut name = OsString::from(before);
        name.push(self.real.file_name().unwrap_or_default());
        name.push(after);
        self.real.with_file_name(name)
    }

    /// Makes a new file with the mode of this one.
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        if let Ok(known) = fs::metadata(&self.real) {
            file.set_permissions(known.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

/// What a link names, perhaps by others, though it is not there.
fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

/// As long as what is given back lives, no other process of this program writes in `directory`.
fn alone_in(directory: &Path) -> io::Result<fs::File> {
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let directory = fs::File::open(here)?;
    match directory.lock() {
        // Some file systems have no locks; there the look at the file just before it is replaced must do.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(directory),
        locked => locked.map(|()| directory),
    }
}

fn text_of(path: &Path) -> Result<Option<String>, HeldError> {
    // Neither opened, which may wait for a long time, nor replaced, which for root would work.
    if fs::metadata(path).is_ok_and(|known| !known.is_file()) {
        return Err(HeldError::NoFile(path.to_owned()));
    }
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, "read")(error)),
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed(path, "read"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(HeldError::TooLong(path.to_owned()));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| HeldError::NotText(path.to_owned()))
}

fn failed(path: &Path, done: &'static str) -> impl FnOnce(io::Error) -> HeldError {
    move |why| HeldError::Io { path: path.to_owned(), done, why }
}

/// A time since the Unix epoch as `20261121T172337Z`.
fn stamp(now: Duration) -> String {
    let seconds = now.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years start in March here, so that a leap day is the last of its year; 400 of them have 146,097 days.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year_of_era + next;
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const NOW: Duration = Duration::from_secs(1_795_281_817);

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_and_its_directories() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/mcp.json");
        let held = Held::read(&path).unwrap();
        assert_eq!(held.text(), None);
        assert_eq!(held.replace("{}", NOW).unwrap(), Replaced { copy: None });
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
        assert_eq!(names(path.parent().unwrap()), ["mcp.json"]);
    }

    #[test]
    fn copies_are_kept_and_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mcp.json");
        fs::write(&path, "1").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        for text in ["2", "3"] {
            Held::read(&path).unwrap().replace(text, NOW).unwrap();
        }
        assert_eq!(
            names(directory.path()),
            ["mcp.json", "mcp.json.bak-20261121T172337Z", "mcp.json.bak-20261121T172337Z-2"]
        );
        assert_eq!(fs::read_to_string(directory.path().join("mcp.json.bak-20261121T172337Z")).unwrap(), "1");
        assert_eq!(fs::read_to_string(directory.path().join("mcp.json.bak-20261121T172337Z-2")).unwrap(), "2");
        for name in names(directory.path()) {
            let mode = fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o640);
        }
    }

    #[test]
    fn a_link_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let (link, real) = (directory.path().join("link.json"), directory.path().join("dotfiles/real.json"));
        fs::create_dir(directory.path().join("dotfiles")).unwrap();
        symlink("dotfiles/real.json", &link).unwrap();
        Held::read(&link).unwrap().replace("1", NOW).unwrap();
        Held::read(&link).unwrap().replace("2", NOW).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "2");
        assert_eq!(names(&directory.path().join("dotfiles")).len(), 2, "the copy is beside the file itself");
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_not_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mcp.json");
        let held = Held::read(&path).unwrap();
        fs::write(&path, "theirs").unwrap();
        assert!(matches!(held.replace("ours", NOW), Err(HeldError::Changed(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(names(directory.path()), ["mcp.json"]);
    }

    #[test]
    fn of_several_writers_none_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mcp.json");
        let add = |letter: char| loop {
            let held = Held::read(&path).unwrap();
            let text = format!("{}{letter}", held.text().unwrap_or_default());
            match held.replace(&text, NOW) {
                Ok(_) => return,
                Err(HeldError::Changed(_)) => (),
                Err(error) => panic!("{error}"),
            }
        };
        std::thread::scope(|scope| {
            for letters in ["abcde", "fghij", "klmno", "pqrst"] {
                scope.spawn(move || letters.chars().for_each(add));
            }
        });
        let mut letters: Vec<char> = fs::read_to_string(&path).unwrap().chars().collect();
        letters.sort_unstable();
        assert_eq!(letters, ('a'..='t').collect::<Vec<_>>());
        assert_eq!(names(directory.path()).len(), 20, "each copy is kept, and no draft");
    }

    #[test]
    fn a_chain_of_links_that_leads_nowhere_yet_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        symlink("second.json", at("first.json")).unwrap();
        symlink("real.json", at("second.json")).unwrap();
        Held::read(&at("first.json")).unwrap().replace("1", NOW).unwrap();
        assert!(fs::symlink_metadata(at("second.json")).unwrap().is_symlink());
        assert!(fs::symlink_metadata(at("real.json")).unwrap().is_file());
    }

    #[test]
    fn what_is_no_text_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mcp.json");
        fs::write(&path, b"\xff").unwrap();
        assert!(matches!(Held::read(&path), Err(HeldError::NotText(_))));
        let socket = directory.path().join("socket");
        let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for other in [directory.path(), socket.as_path(), Path::new("/dev/null")] {
            assert!(matches!(Held::read(other), Err(HeldError::NoFile(_))), "{}", other.display());
        }
    }

    #[test]
    fn times_are_written_as_dates() {
        let stamps = [0, 951_782_400, 1_709_164_800, 4_107_542_399].map(|seconds| stamp(Duration::from_secs(seconds)));
        assert_eq!(stamps, ["19700101T000000Z", "20000229T000000Z", "20240229T000000Z", "21000228T235959Z"]);
    }
}
