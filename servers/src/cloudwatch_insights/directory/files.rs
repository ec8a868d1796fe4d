//! The folders and files of a directory of logs: a folder that holds files is a log group, each file a log stream. Opens
//! the files, but does not read them. Follows no symbolic link below the directory, because one could lead out of it, or
//! past the list of groups that may be read.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Cursor},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::skipped::Skipped;
use crate::cloudwatch_insights::{allow_list::is_name, groups::LogGroup, time_range::iso8601};

/// Folders inside of folders: as deep as names of log groups sensibly go.
const DEEPEST: usize = 16;

/// Endings of files that hold no lines of text.
const PACKED: [&str; 6] = ["gz", "zip", "bz2", "xz", "zst", "lz4"];

/// One log stream.
#[derive(Clone, Debug)]
pub(super) struct LogFile {
    pub(super) content: Content,
    /// The file's name: `@logStream`.
    pub(super) stream: String,
    pub(super) bytes: u64,
    /// Milliseconds since the epoch: `@ingestionTime`, and the time of events in a file without any time.
    pub(super) modified: i64,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Path(PathBuf),
    Text(String),
}

/// Every folder below `root` that holds files, by name, and what was left out. Files in `root` itself belong to no group.
pub(super) fn groups(root: &Path) -> io::Result<(Vec<LogGroup>, Skipped)> {
    let (mut found, mut skipped) = (Vec::new(), Skipped::default());
    walk(root, "", 0, &mut found, &mut skipped)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((found, skipped))
}

/// The files of a group by name, and what was left out; `None` if there is no such group. Hidden and packed files and
/// links are left out.
pub(super) fn streams(root: &Path, group: &str) -> io::Result<Option<(Vec<LogFile>, Skipped)>> {
    let Some(path) = folder(root, group) else { return Ok(None) };
    let mut skipped = Skipped::default();
    // A link on the way, or a file system to which `A` is `a`, would give a folder a name that the list of groups does not
    // know it by.
    let files = match fs::canonicalize(&path) {
        Ok(real) if real == path => files(&path, &mut skipped),
        Ok(_) => return Ok(None),
        Err(error) => Err(error),
    };
    match files {
        Ok(files) if files.is_empty() => Ok(None),
        Ok(files) => Ok(Some((files, skipped))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Group `/app/web` is the folder `app/web`. Nothing outside of `root` has a name: `..` is no part of one.
fn folder(root: &Path, group: &str) -> Option<PathBuf> {
    let parts: Vec<_> = group.strip_prefix('/')?.split('/').collect();
    let named = |part: &&str| !part.is_empty() && !part.starts_with('.');
    let fits = parts.len() <= DEEPEST && parts.iter().all(named);
    fits.then(|| parts.iter().fold(root.to_owned(), |path, part| path.join(part)))
}

/// A folder below that cannot be read is left out, and the log says so.
fn walk(folder: &Path, name: &str, depth: usize, found: &mut Vec<LogGroup>, skipped: &mut Skipped) -> io::Result<()> {
    if depth > 0 {
        let files = files(folder, skipped)?;
        if !files.is_empty() {
            let created = fs::metadata(folder)?.created().ok().map(|time| iso8601(millis(time) / 1000));
            found.push(group(name, &files, created));
        }
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let part = entry.file_name();
        let hidden = part.as_encoded_bytes().starts_with(b".");
        if depth == 0 && !hidden && entry.file_type()?.is_symlink() {
            // Further down they are counted with the files.
            skipped.links += 1;
        }
        if hidden || !entry.file_type()?.is_dir() {
            continue;
        }
        let name = part.to_str().map(|part| format!("{name}/{part}")).filter(|name| is_name(name));
        match name {
            None => skipped.unnamed += 1,
            Some(_) if depth == DEEPEST => skipped.deep += 1,
            Some(name) => {
                if let Err(error) = walk(&entry.path(), &name, depth + 1, found, skipped) {
                    tracing::warn!("`{}` is not read: {error}", entry.path().display());
                    skipped.unreadable += 1;
                }
            }
        }
    }
    Ok(())
}

/// The group that has these files. Files stay until somebody deletes them.
pub(super) fn group(name: &str, files: &[LogFile], created: Option<String>) -> LogGroup {
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    LogGroup { name: name.to_owned(), stored_bytes: i64::try_from(bytes).ok(), retention_days: None, created }
}

fn files(folder: &Path, skipped: &mut Skipped) -> io::Result<Vec<LogFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(stream) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else {
            continue;
        };
        // A file that is gone meanwhile is no stream.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_symlink() {
            skipped.links += 1;
            continue;
        }
        if !metadata.is_file() {
            continue;
        }
        if path.extension().is_some_and(|ending| PACKED.iter().any(|packed| ending.eq_ignore_ascii_case(packed))) {
            skipped.packed += 1;
            continue;
        }
        let modified = metadata.modified().map_or(0, millis);
        files.push(LogFile {
            stream: stream.to_owned(),
            bytes: metadata.len(),
            modified,
            content: Content::Path(path),
        });
    }
    files.sort_by(|a, b| a.stream.cmp(&b.stream));
    Ok(files)
}

impl LogFile {
    pub(super) fn open(&self) -> io::Result<Box<dyn BufRead + '_>> {
        Ok(match &self.content {
            Content::Path(path) => {
                // A link may have taken the place of the file since it was found.
                if fs::canonicalize(path)? != *path {
                    return Err(io::Error::other("it has become a symbolic link"));
                }
                Box::new(BufReader::new(File::open(path)?))
            }
            Content::Text(text) => Box::new(Cursor::new(text)),
        })
    }
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporary directory by its real name.
    struct Root {
        path: PathBuf,
        _kept: tempfile::TempDir,
    }

    impl Root {
        fn new() -> Self {
            let kept = tempfile::tempdir().unwrap();
            Self { path: kept.path().canonicalize().unwrap(), _kept: kept }
        }

        fn path(&self) -> &Path {
            &self.path
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let (root, outside) = (Root::new(), Root::new());
        for path in [root.path().join("app/a.log"), root.path().join("secret/s.log"), outside.path().join("o.log")] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, root.path().join(name)).unwrap();
        link(outside.path(), "app/out");
        link(&root.path().join("secret"), "app/inner");
        link(&outside.path().join("o.log"), "app/o.log");
        let (found, skipped) = groups(root.path()).unwrap();
        let names: Vec<_> = found.iter().map(|group| group.name.as_str()).collect();
        assert_eq!((names, skipped.links), (vec!["/app", "/secret"], 3));
        assert!(streams(root.path(), "/app/out").unwrap().is_none());
        assert!(streams(root.path(), "/app/inner").unwrap().is_none());
        let (files, skipped) = streams(root.path(), "/app").unwrap().unwrap();
        let names: Vec<_> = files.iter().map(|file| file.stream.as_str()).collect();
        assert_eq!((names, skipped.links), (vec!["a.log"], 3));
        // Also one that takes the place of a file that was found.
        fs::remove_file(root.path().join("app/a.log")).unwrap();
        link(&outside.path().join("o.log"), "app/a.log");
        assert!(files[0].open().is_err());
    }

    #[test]
    fn folders_that_can_be_no_group_are_counted() {
        let root = Root::new();
        let deep = vec!["d"; DEEPEST + 1].join("/");
        for folder in ["my app", "ok", &deep] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("a.log"), "x").unwrap();
        }
        let (found, skipped) = groups(root.path()).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(skipped, Skipped { unnamed: 1, deep: 1, ..Skipped::default() });
        insta::assert_snapshot!(skipped.notes().join("\n"), @"
        1 folder(s) have a name that no log group has (letters, digits and `.-_#`) and are not read
        1 folder(s) lie too deep and are not read
        ");
    }

    #[test]
    fn folders_are_groups() {
        let root = Root::new();
        let write = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "12345").unwrap();
        };
        ["app/web/b.log", "app/web/a.log", "app/c.log", "root.log", "app/.hidden/d.log", "app/x/e.log.gz"]
            .iter()
            .for_each(|path| write(path));
        let (found, skipped) = groups(root.path()).unwrap();
        let groups: Vec<_> = found.into_iter().map(|group| (group.name, group.stored_bytes.unwrap())).collect();
        assert_eq!(skipped, Skipped { packed: 1, ..Skipped::default() });
        assert_eq!(groups, [("/app".to_owned(), 5), ("/app/web".to_owned(), 10)]);
        let names = |group: &str| {
            let (files, _) = streams(root.path(), group).unwrap()?;
            Some(files.into_iter().map(|file| file.stream).collect::<Vec<_>>())
        };
        assert_eq!(names("/app/web").unwrap(), ["a.log", "b.log"]);
        for none in [
            "/app/x",
            "/app/y",
            "app",
            "",
            "/",
            "/app/",
            "/app//web",
            "/app/../app",
            "/..",
            "/app/.hidden",
            "/app/c.log",
        ] {
            assert_eq!(names(none), None, "{none}");
        }
    }
}
