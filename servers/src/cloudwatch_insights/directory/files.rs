//! The folders and files of a directory of logs: a folder that holds files is a log group, each file a log stream. Opens
//! the files, but does not read them.

use std::{
    fmt,
    fs::{self, File},
    io::{self, BufRead, BufReader, Cursor},
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::cloudwatch_insights::{groups::LogGroup, time_range::iso8601};

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

/// Every folder below `root` that holds files, by name. Files in `root` itself belong to no group.
pub(super) fn groups(root: &Path) -> io::Result<Vec<LogGroup>> {
    let mut found = Vec::new();
    walk(root, "", 0, &mut found)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The files of a group by name; `None` if there is no such group. Hidden and packed files are left out.
pub(super) fn streams(root: &Path, group: &str) -> io::Result<Option<Vec<LogFile>>> {
    let Some(path) = folder(root, group) else { return Ok(None) };
    match files(&path) {
        Ok(files) if files.is_empty() => Ok(None),
        Ok(files) => Ok(Some(files)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Group `/app/web` is the folder `app/web`. Nothing outside of `root` has a name: `..` is no part of one.
fn folder(root: &Path, group: &str) -> Option<PathBuf> {
    let parts: Vec<_> = group.strip_prefix('/')?.split('/').collect();
    let named = |part: &&str| !part.is_empty() && !part.starts_with('.');
    parts.iter().all(named).then(|| parts.iter().fold(root.to_owned(), |path, part| path.join(part)))
}

/// A folder below that cannot be read is left out, and the log says so.
fn walk(folder: &Path, name: &str, depth: usize, found: &mut Vec<LogGroup>) -> io::Result<()> {
    if depth > 0 {
        let files = files(folder)?;
        if !files.is_empty() {
            let created = fs::metadata(folder)?.created().ok().map(|time| iso8601(millis(time) / 1000));
            found.push(group(name, &files, created));
        }
    }
    if depth == DEEPEST {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A link to a folder could lead in a circle.
        if entry.file_type()?.is_dir()
            && let Some(part) = entry.file_name().to_str().filter(|part| !part.starts_with('.'))
        {
            walk(&entry.path(), &format!("{name}/{part}"), depth + 1, found)
                .unwrap_or_else(|error| tracing::warn!("`{}` is not read: {error}", entry.path().display()));
        }
    }
    Ok(())
}

/// The group that has these files. Files stay until somebody deletes them.
pub(super) fn group(name: &str, files: &[LogFile], created: Option<String>) -> LogGroup {
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    LogGroup { name: name.to_owned(), stored_bytes: i64::try_from(bytes).ok(), retention_days: None, created }
}

fn files(folder: &Path) -> io::Result<Vec<LogFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(stream) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let packed =
            path.extension().is_some_and(|ending| PACKED.iter().any(|packed| ending.eq_ignore_ascii_case(packed)));
        // A link to a file is followed; one that leads nowhere, or a file that is gone meanwhile, is no stream.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if !metadata.is_file() {
            continue;
        }
        if packed {
            tracing::warn!("`{}` is packed and is not read", path.display());
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
            Content::Path(path) => Box::new(BufReader::new(File::open(path)?)),
            Content::Text(text) => Box::new(Cursor::new(text)),
        })
    }
}

impl fmt::Display for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Path(path) => path.display().fmt(f),
            Content::Text(_) => f.write_str(&self.stream),
        }
    }
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_groups() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "12345").unwrap();
        };
        ["app/web/b.log", "app/web/a.log", "app/c.log", "root.log", "app/.hidden/d.log", "app/x/e.log.gz"]
            .iter()
            .for_each(|path| write(path));
        let groups: Vec<_> =
            groups(root.path()).unwrap().into_iter().map(|group| (group.name, group.stored_bytes.unwrap())).collect();
        assert_eq!(groups, [("/app".to_owned(), 5), ("/app/web".to_owned(), 10)]);
        let names = |group: &str| {
            let files = streams(root.path(), group).unwrap()?;
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
