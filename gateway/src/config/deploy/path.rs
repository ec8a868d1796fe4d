//! Paths of what is deployed: none leads upward, each ends as it should, and what it names is there.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

/// A source text is not larger. In bytes.
const LARGEST: u64 = 10 << 20;

/// What a path must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A file with this ending, such as `py`.
    File(&'static str),
    /// A directory with this file in it.
    DirectoryWith(&'static str),
}

/// `path` in full, below `directory` if it is relative. `look`: whether it must be there.
///
/// # Errors
/// What is wrong with it, and what to write instead. It repeats no path but the one that was written.
pub(super) fn check(path: &Path, directory: &Path, kind: Kind, look: bool) -> Result<PathBuf, String> {
    if path.as_os_str().is_empty() {
        return Err("is empty; write a path".into());
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(
            "holds `..`, which could lead anywhere; write it in full, or from the directory where it starts".into()
        );
    }
    if let Kind::File(ending) = kind
        && path.extension().is_none_or(|found| found != ending)
    {
        return Err(format!("must end in `.{ending}`; name the file that does"));
    }
    let full = directory.join(path);
    match look {
        true => there(&full, path, kind).map(|()| full),
        false => Ok(full),
    }
}

fn there(full: &Path, said: &Path, kind: Kind) -> Result<(), String> {
    let said = said.display();
    let found = fs::metadata(full).map_err(|why| format!("names `{said}`, which {}", unread(&why)))?;
    match kind {
        Kind::File(_) if !found.is_file() => Err(format!("names `{said}`, which is no file")),
        Kind::File(_) if found.len() > LARGEST => {
            Err(format!("names `{said}`, which is larger than {} MB; name the source text itself", LARGEST >> 20))
        }
        Kind::File(_) => text(full).map_err(|why| format!("names `{said}`, which {why}")),
        Kind::DirectoryWith(_) if !found.is_dir() => Err(format!("names `{said}`, which is no directory")),
        Kind::DirectoryWith(file) if !full.join(file).is_file() => {
            Err(format!("names `{said}`, which has no `{file}`; write one, or name a Python file with `entrypoint`"))
        }
        Kind::DirectoryWith(_) => Ok(()),
    }
}

fn text(path: &Path) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|why| unread(&why))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    match text.contains('\0') {
        true => Err("is no text: it holds a zero byte".into()),
        false => Ok(()),
    }
}

fn unread(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::NotFound => "is not there".into(),
        kind => format!("cannot be read: {kind}"),
    }
}
