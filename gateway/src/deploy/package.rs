//! Makes of a Python server the directory that its image is built from: its files, what it needs from PyPI, and a Dockerfile. The same
//! files give the same directory, byte for byte. Runs and compiles nothing of it.

use std::{
    fs::{self, FileTimes, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{Context, SHA256};

use super::{
    state::hex,
    workspace::{Unwritten, private_directory},
};

/// More than a server is: somebody's home directory, perhaps.
const MOST_FILES: usize = 2000;
const MOST_BYTES: u64 = 50 << 20;
/// 1980-01-01, the first day that a ZIP archive knows.
const STAMP: Duration = Duration::from_secs(315_532_800);
/// Below the image's source: the directory of the entrypoint.
const SERVER: &str = "server";
const REQUIREMENTS: &str = "requirements.txt";
/// Directories that are made anew where they are needed.
const MADE: [&str; 4] = ["__pycache__", "node_modules", "site-packages", "venv"];
/// What is no part of a server, or secret.
const KEPT_OUT: [&str; 7] = ["pyc", "env", "tfstate", "tfvars", "pem", "key", "p12"];

/// What was packaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packaged {
    /// SHA-256 over names and contents.
    pub digest: String,
    /// What is hardly meant: it may work all the same.
    pub doubts: Vec<String>,
}

/// Why a server could not be packaged.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error(
        "`{}` holds more than {MOST_FILES} files or {} MB beside the entrypoint, which all would go into the image; put the server \
         into a directory of its own, or name a directory with a Dockerfile with `source_directory`",
        .0.display(), MOST_BYTES >> 20
    )]
    TooMuch(PathBuf),
    #[error("`{}` is no UTF-8 name; rename it", .0.display())]
    Name(PathBuf),
    #[error(transparent)]
    Unwritten(#[from] Unwritten),
}

/// Writes to `to` what the image of the server at `entrypoint` is built from; what was there goes.
///
/// # Errors
/// [`PackageError`].
pub fn package(entrypoint: &Path, requirements: &Path, to: &Path) -> Result<Packaged, PackageError> {
    let directory = entrypoint.parent().unwrap_or(Path::new("."));
    let files = files_of(directory, entrypoint)?;
    let name = entrypoint.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| PackageError::Name(entrypoint.to_owned()))?;
    let draft = to.with_extension("new");
    for old in [&draft, &to.to_owned()] {
        clear(old)?;
    }
    private_directory(&draft)?;
    let mut digest = Context::new(&SHA256);
    let mut add = |name: &str, bytes: &[u8]| {
        for part in [name.as_bytes(), bytes] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        write(&draft.join(name), bytes)
    };
    add("Dockerfile", dockerfile(name).as_bytes())?;
    add(REQUIREMENTS, &read(requirements)?)?;
    for file in &files {
        add(&format!("{SERVER}/{}", file.name), &read(&file.path)?)?;
    }
    fs::rename(&draft, to).map_err(Unwritten::at(to, "written"))?;
    Ok(Packaged { digest: hex(digest.finish().as_ref()), doubts: doubts(&files) })
}

/// A file that goes into the image.
struct Part {
    /// From the directory of the entrypoint, with `/` between.
    name: String,
    path: PathBuf,
}

/// In one order everywhere.
fn files_of(directory: &Path, entrypoint: &Path) -> Result<Vec<Part>, PackageError> {
    let (mut files, mut bytes) = (Vec::new(), 0);
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        let entries = fs::read_dir(&next).map_err(Unwritten::at(&next, "read"))?;
        for entry in entries {
            let entry = entry.map_err(Unwritten::at(&next, "read"))?;
            let path = entry.path();
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                return Err(PackageError::Name(path));
            };
            if path != entrypoint && is_kept_out(&name, &path) {
                continue;
            }
            // A link could lead anywhere, and an image has no place for where it leads.
            let kind = entry.file_type().map_err(Unwritten::at(&path, "read"))?;
            if kind.is_dir() {
                left.push(path);
            } else if kind.is_file() || path == entrypoint {
                bytes += entry.metadata().map_err(Unwritten::at(&path, "read"))?.len();
                let name = path.strip_prefix(directory).unwrap_or(&path);
                let name = name.to_str().ok_or_else(|| PackageError::Name(path.clone()))?.to_owned();
                files.push(Part { name, path });
            }
            if files.len() > MOST_FILES || bytes > MOST_BYTES {
                return Err(PackageError::TooMuch(directory.to_owned()));
            }
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// Hidden files are settings of tools and secrets: `.env`, `.git`, `.terraform`, `.venv`, credentials.
fn is_kept_out(name: &str, path: &Path) -> bool {
    let ending = |ending: &str| name.ends_with(&format!(".{ending}")) || name.contains(&format!(".{ending}."));
    name.starts_with('.')
        || MADE.contains(&name)
        || KEPT_OUT.iter().any(|it| ending(it))
        || path.join("pyvenv.cfg").is_file()
}

/// As AgentCore Runtime wants it: port 8000, all addresses, no state between requests. The base image is named for the machine that
/// builds it, which is ARM64.
fn dockerfile(entrypoint: &str) -> String {
    let command = serde_json::to_string(&["python", entrypoint]).expect("two texts");
    format!(
        "# Made by `causeway deploy`, which writes it anew each time.\n\
         FROM public.ecr.aws/docker/library/python:3.13-slim\n\
         ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp HOST=0.0.0.0 PORT=8000 \\\n    \
         FASTMCP_HOST=0.0.0.0 FASTMCP_PORT=8000 FASTMCP_STATELESS_HTTP=true\n\
         WORKDIR /srv\n\
         COPY {REQUIREMENTS} ./\n\
         RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --requirement {REQUIREMENTS}\n\
         COPY {SERVER}/ ./{SERVER}/\n\
         WORKDIR /srv/{SERVER}\n\
         USER 65532:65532\n\
         EXPOSE 8000\n\
         CMD {command}\n"
    )
}

/// What a server for Runtime says somewhere, unless it is told by variables.
fn doubts(files: &[Part]) -> Vec<String> {
    let sources = files.iter().filter(|file| file.name.ends_with(".py"));
    let text: String = sources.filter_map(|file| fs::read_to_string(&file.path).ok()).collect();
    let mut doubts = Vec::new();
    if !["0.0.0.0", "HOST", "\"::\"", "'::'"].iter().any(|word| text.contains(word)) {
        doubts.push(
            "nothing in it listens on `0.0.0.0`, so that Runtime may not reach it; write `host=\"0.0.0.0\", port=8000`"
                .into(),
        );
    }
    if !["streamable-http", "streamable_http", "http_app", "\"http\"", "'http'"].iter().any(|word| text.contains(word))
    {
        doubts.push(
            "nothing in it speaks streamable HTTP, which Runtime needs; write `mcp.run(transport=\"streamable-http\")`"
                .into(),
        );
    }
    doubts
}

fn read(path: &Path) -> Result<Vec<u8>, Unwritten> {
    fs::read(path).map_err(Unwritten::at(path, "read"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Unwritten> {
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
        file.write_all(bytes)?;
        file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + STAMP))
    };
    write().map_err(Unwritten::at(path, "written"))
}

fn clear(directory: &Path) -> Result<(), Unwritten> {
    match fs::remove_dir_all(directory) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            Err(Unwritten { path: directory.to_owned(), done: "removed", why })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "mcp.run(transport='streamable-http', host='0.0.0.0')\n";

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    fn pack(from: &Path, to: &Path) -> Result<Packaged, PackageError> {
        package(&from.join("server.py"), &from.join("requirements.txt"), to)
    }

    /// Everything below, by name.
    fn contents(directory: &Path) -> Vec<(String, Vec<u8>, SystemTime)> {
        let parts = files_of(directory, Path::new("")).unwrap();
        let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        parts.into_iter().map(|it| (it.name, fs::read(&it.path).unwrap(), time(&it.path))).collect()
    }

    #[test]
    fn nothing_secret_and_nothing_made_goes_in() {
        let from = tree(&[
            ("server.py", SOURCE),
            ("requirements.txt", "mcp\n"),
            ("tools/add.py", ""),
            (".env", "hunter2"),
            ("prod.env", "hunter2"),
            (".git/config", "hunter2"),
            ("terraform.tfstate", "hunter2"),
            ("terraform.tfstate.backup", "hunter2"),
            (".terraform/x", "hunter2"),
            ("server.key", "hunter2"),
            ("__pycache__/server.pyc", ""),
            ("my-env/pyvenv.cfg", ""),
            ("my-env/lib/x.py", ""),
        ]);
        std::os::unix::fs::symlink("/etc/passwd", from.path().join("passwd")).unwrap();
        let to = tempfile::tempdir().unwrap();
        let context = to.path().join("sources");
        pack(from.path(), &context).unwrap();
        let names: Vec<String> = contents(&context).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(
            names,
            ["Dockerfile", "requirements.txt", "server/requirements.txt", "server/server.py", "server/tools/add.py"]
        );
    }

    #[test]
    fn the_same_files_give_the_same_directory() {
        let files = [("server.py", SOURCE), ("b.py", "1"), ("a/c.py", "2"), ("requirements.txt", "mcp\n")];
        let (one, other, to) = (tree(&files), tree(&files), tempfile::tempdir().unwrap());
        let (here, there) = (to.path().join("one"), to.path().join("other"));
        let first = pack(one.path(), &here).unwrap();
        assert_eq!(pack(other.path(), &there).unwrap(), first);
        assert_eq!(contents(&here), contents(&there));
        fs::remove_file(one.path().join("b.py")).unwrap();
        assert_ne!(pack(one.path(), &here).unwrap().digest, first.digest);
        assert!(!here.join("server/b.py").exists(), "what is gone there goes here");
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_doubted() {
        let from = tree(&[("server.py", "mcp.run()\n"), ("requirements.txt", "mcp\n")]);
        let to = tempfile::tempdir().unwrap();
        assert_eq!(pack(from.path(), &to.path().join("x")).unwrap().doubts.len(), 2);
        fs::write(from.path().join("server.py"), SOURCE).unwrap();
        assert!(pack(from.path(), &to.path().join("x")).unwrap().doubts.is_empty());
    }

    #[test]
    fn a_directory_that_holds_too_much_is_refused() {
        let from = tree(&[("server.py", SOURCE), ("requirements.txt", "mcp\n")]);
        fs::File::create(from.path().join("big.bin")).unwrap().set_len(MOST_BYTES + 1).unwrap();
        let to = tempfile::tempdir().unwrap();
        let refused = pack(from.path(), &to.path().join("x")).unwrap_err().to_string();
        assert!(refused.contains("more than 2000 files or 50 MB"), "{refused}");
    }

    #[test]
    fn the_dockerfile_is_as_runtime_wants_it() {
        insta::assert_snapshot!(dockerfile("server.py"), @r#"
        # Made by `causeway deploy`, which writes it anew each time.
        FROM public.ecr.aws/docker/library/python:3.13-slim
        ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp HOST=0.0.0.0 PORT=8000 \
            FASTMCP_HOST=0.0.0.0 FASTMCP_PORT=8000 FASTMCP_STATELESS_HTTP=true
        WORKDIR /srv
        COPY requirements.txt ./
        RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --requirement requirements.txt
        COPY server/ ./server/
        WORKDIR /srv/server
        USER 65532:65532
        EXPOSE 8000
        CMD ["python","server.py"]
        "#);
    }
}
