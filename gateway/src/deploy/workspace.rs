//! Where a deployment is kept on this machine: `.causeway/GATEWAY/`, for its owner alone, and a lock against two runs at once. Knows
//! paths and how to write them, not what is in them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::clients::quoted;

/// Below the directory that a person deploys from.
const HOME: &str = ".causeway";
const LOCK: &str = "lock";

/// The directory of one deployment.
#[derive(Clone, Debug)]
pub struct Workspace {
    base: PathBuf,
    gateway: String,
}

/// As long as it lives, or a program that got it as its standard input, nobody else works here. It ends with its last owner, however
/// that ends.
#[derive(Debug)]
pub struct Lock(File);

/// Nobody else may work here meanwhile.
#[derive(Debug, thiserror::Error)]
pub enum Locked {
    #[error("`{gateway}` is being worked on by another run{}; wait until it has ended", whose(.process))]
    Busy { gateway: String, process: Option<u32> },
    #[error(transparent)]
    Unwritten(#[from] Unwritten),
}

/// A file or directory could not be read, written or removed.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be {done}: {why}", path.display())]
pub struct Unwritten {
    pub path: PathBuf,
    pub done: &'static str,
    pub why: io::Error,
}

impl Unwritten {
    /// For `map_err`.
    pub fn at(path: &Path, done: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |why| Self { path: path.to_owned(), done, why }
    }
}

impl Workspace {
    /// That of `gateway` below `base`; makes nothing.
    pub fn new(base: &Path, gateway: &str) -> Self {
        Self { base: base.to_owned(), gateway: gateway.to_owned() }
    }

    /// The gateways that are deployed from `base`, by name.
    pub fn all(base: &Path) -> Vec<Self> {
        let entries = fs::read_dir(base.join(HOME)).into_iter().flatten().flatten();
        let names =
            entries.filter(|entry| entry.path().is_dir()).filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.into_iter().map(|name| Self::new(base, &name)).filter(Self::exists).collect()
    }

    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// Where a person deploys from.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// What is kept here of this deployment.
    pub fn home(&self) -> PathBuf {
        self.base.join(HOME).join(&self.gateway)
    }

    pub fn state(&self) -> PathBuf {
        self.home().join("state.json")
    }

    /// What Terraform's roots and modules are copied to.
    pub fn terraform(&self) -> PathBuf {
        self.home().join("terraform")
    }

    /// Where the packaged source of a server is.
    pub fn source(&self, server: &str) -> PathBuf {
        self.home().join("sources").join(server)
    }

    /// What Terraform means to do. It may hold secrets.
    pub fn plan(&self) -> PathBuf {
        self.home().join("plan")
    }

    /// The options that name it to another command, which somebody gives from where they gave this one.
    pub fn options(&self) -> String {
        let directory = self.base.display().to_string();
        match directory.as_str() {
            "." => format!("--gateway-name {}", self.gateway),
            directory => format!("--gateway-name {} --directory {}", self.gateway, quoted(directory)),
        }
    }

    /// Whether anything was deployed from here.
    pub fn exists(&self) -> bool {
        self.state().is_file()
    }

    /// Makes the directory if need be, and keeps others out of it.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn lock(&self) -> Result<Lock, Locked> {
        let home = self.home();
        private_directory(&home)?;
        // Somebody may have made it before.
        fs::set_permissions(&home, Permissions::from_mode(0o700)).map_err(Unwritten::at(&home, "kept private"))?;
        // It holds Terraform's state, which holds secrets: never for a repository.
        let ignore = self.base.join(HOME).join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(Unwritten::at(&ignore, "written"))?;
        }
        let path = home.join(LOCK);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = opened.map_err(Unwritten::at(&path, "opened"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Err(Locked::Busy { gateway: self.gateway.clone(), process: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(why)) => return Err(Unwritten { path, done: "locked", why }.into()),
        }
        // Between the two, a run that destroys may have removed it: what is locked then keeps nobody out.
        let (held, there) = (file.metadata(), fs::metadata(&path));
        if !held.is_ok_and(|held| there.is_ok_and(|there| held.ino() == there.ino())) {
            return Err(Locked::Busy { gateway: self.gateway.clone(), process: None });
        }
        let written = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        written.map_err(Unwritten::at(&path, "written"))?;
        Ok(Lock(file))
    }

    /// Forgets the deployment.
    ///
    /// # Errors
    /// [`Unwritten`].
    pub fn remove(&self) -> Result<(), Unwritten> {
        let home = self.home();
        // First what makes it one: the rest is nothing to go on with.
        fs::remove_file(self.state()).map_err(Unwritten::at(&self.state(), "removed"))?;
        fs::remove_dir_all(&home).map_err(Unwritten::at(&home, "removed"))?;
        // Only if it is empty but for our own file.
        let all = self.base.join(HOME);
        let rest = fs::read_dir(&all).into_iter().flatten().flatten();
        if rest.into_iter().all(|entry| entry.file_name() == ".gitignore") {
            let _ = fs::remove_dir_all(&all);
        }
        Ok(())
    }
}

impl Lock {
    /// For the standard input of a program that must not outlive the lock: what it could read there is nothing.
    ///
    /// # Errors
    /// As the system has it.
    pub fn as_input(&self) -> io::Result<Stdio> {
        self.0.try_clone().map(Stdio::from)
    }
}

/// Makes a directory that only its owner can look into.
///
/// # Errors
/// [`Unwritten`].
pub fn private_directory(path: &Path) -> Result<(), Unwritten> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Unwritten::at(path, "made"))
}

/// Puts `text` at `path`, which only its owner can read: at once and as a whole.
///
/// # Errors
/// [`Unwritten`]; what was there is as it was.
pub fn write_private(path: &Path, text: &str) -> Result<(), Unwritten> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let draft = path.with_file_name(name);
    let write = || {
        // What a run that was killed has left.
        match fs::remove_file(&draft) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(Unwritten::at(path, "written"))
}

fn whose(process: &Option<u32>) -> String {
    process.map(|process| format!(" (process {process})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time() {
        let base = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(base.path(), "tools");
        let lock = workspace.lock().unwrap();
        let busy = workspace.lock().unwrap_err().to_string();
        let process = std::process::id();
        assert_eq!(
            busy,
            format!("`tools` is being worked on by another run (process {process}); wait until it has ended")
        );
        let heir = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(workspace.lock().is_err(), "who got it as an input still works");
        drop(heir);
        workspace.lock().unwrap();
        let mode = fs::metadata(workspace.home()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700);
        assert_eq!(fs::read_to_string(base.path().join(".causeway/.gitignore")).unwrap(), "*\n");
        fs::write(workspace.state(), "{}").unwrap();
        workspace.remove().unwrap();
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_written_is_for_its_owner_and_whole() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("secret.json");
        fs::write(&path, "old").unwrap();
        fs::write(base.path().join(".secret.json.new"), "left behind").unwrap();
        write_private(&path, "new").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode), ("new", 0o600));
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }
}
