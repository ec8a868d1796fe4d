//! What a running `causeway dev` leaves for other commands of the same user: where its gateway is and how to get a token for it,
//! in a file that only they can read and that goes when it ends.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};
#[cfg(feature = "dev")]
use std::{
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
};

use nix::{sys::signal::kill, unistd::Pid};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::{Environment, environment::Reference};

/// One that runs.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Running {
    pid: i32,
    /// Of its gateway.
    pub(super) endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) client_id: String,
    pub(super) client_secret: String,
}

/// The file; it goes with this.
#[cfg(feature = "dev")]
#[derive(Debug)]
pub(super) struct Left(PathBuf);

impl Running {
    /// This process, whose gateway is at `endpoint`.
    #[cfg(feature = "dev")]
    pub(super) fn here(endpoint: Url, token_endpoint: Url, client_id: String, client_secret: String) -> Self {
        Self { pid: Pid::this().as_raw(), endpoint, token_endpoint, client_id, client_secret }
    }

    /// Leaves it for other commands, as long as what is given back lives.
    ///
    /// # Errors
    /// Where it cannot be written; nothing depends on it but the convenience.
    #[cfg(feature = "dev")]
    pub(super) fn leave(&self, environment: &Environment) -> io::Result<Left> {
        let directory = directory(environment).ok_or(io::ErrorKind::NotFound)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        let path = directory.join(format!("dev-{}.json", self.pid));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(serde_json::to_string(self)?.as_bytes())?;
        Ok(Left(path))
    }

    /// All that run, in no order.
    pub(super) fn all(environment: &Environment) -> Vec<Self> {
        let Some(directory) = directory(environment) else { return Vec::new() };
        let files = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
        files.filter_map(|path| Self::read(&path)).collect()
    }

    /// What is left behind by one that was killed is removed.
    fn read(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        if !name.starts_with("dev-") || !name.ends_with(".json") {
            return None;
        }
        let running: Self = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
        if kill(Pid::from_raw(running.pid), None).is_err() {
            let _ = fs::remove_file(path);
            return None;
        }
        Some(running)
    }
}

#[cfg(feature = "dev")]
impl Drop for Left {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// Where such files are: with what runs, else with what a program keeps (XDG base directories).
fn directory(environment: &Environment) -> Option<PathBuf> {
    let variable = |name| environment.look_up(Reference::Variable(name)).ok().map(|it| PathBuf::from(it.expose()));
    let base = variable("XDG_RUNTIME_DIR")
        .or_else(|| variable("XDG_STATE_HOME"))
        .or_else(|| variable("HOME").map(|home| home.join(".local/state")))?;
    Some(base.join("causeway"))
}

#[cfg(all(test, feature = "dev"))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_runs_is_found_as_long_as_it_runs() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::of([("HOME", home.path().to_str().unwrap())]);
        assert!(Running::all(&environment).is_empty());
        let url = |text: &str| text.parse().unwrap();
        let here =
            Running::here(url("http://127.0.0.1:1/mcp"), url("http://127.0.0.1:2/t"), "c".into(), "hunter2".into());
        assert!(!format!("{here:?}").contains("hunter2"));
        let left = here.leave(&environment).unwrap();
        assert_eq!(fs::metadata(&left.0).unwrap().permissions().mode() & 0o777, 0o600);
        let found = Running::all(&environment);
        assert_eq!((found.len(), found[0].client_secret.as_str()), (1, "hunter2"));
        // One that was killed.
        let dead = Running { pid: i32::MAX, ..here };
        let _forgotten = std::mem::ManuallyDrop::new(dead.leave(&environment).unwrap());
        assert_eq!(Running::all(&environment).len(), 1);
        drop(left);
        assert_eq!(fs::read_dir(home.path().join(".local/state/causeway")).unwrap().count(), 0);
    }
}
