//! How far a deployment has come, in a file, so that a run that was interrupted goes on where it was. Holds no secret.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use aws_lc_rs::{digest, rand};
use serde::{Deserialize, Serialize};

use super::{
    Outputs, Root,
    workspace::{Unwritten, Workspace, write_private},
};

/// Of the file's form.
const VERSION: u32 = 1;
/// Where Terraform keeps what it has made, in the root's directory, unless somebody has given it a backend.
const MADE: &str = "terraform.tfstate";

/// What is known of a deployment.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct State {
    version: u32,
    pub gateway: String,
    pub region: String,
    pub root: Root,
    pub step: Step,
    /// Whether something may be there at AWS.
    pub made: bool,
    /// Of everything that Terraform reads and of Terraform itself: equal where nothing has changed since.
    pub digest: String,
    /// Seconds since 1970.
    pub updated_at: u64,
    /// What was written below `terraform`, so that what is no longer of use can go.
    pub files: Vec<String>,
    /// Files with variables that somebody has named, in full: destroying needs them too.
    #[serde(default)]
    pub var_files: Vec<PathBuf>,
    /// Of the secrets of joined targets: raised when one has changed, and how that is seen.
    pub secrets: Mark,
    /// What Terraform gave, but for secrets.
    pub outputs: Option<Outputs>,
}

/// Whether secrets are those of the last time, without keeping them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub struct Mark {
    pub version: u64,
    salt: String,
    digest: String,
}

/// What is done.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Sources, roots and variables are written.
    Prepared,
    /// Terraform has its providers and modules.
    Initialized,
    /// Terraform has said what it would do. Nothing is changed at AWS.
    Planned,
    /// Terraform changes things at AWS, or was ended while it did.
    Applying,
    /// Everything is made.
    Applied,
    /// And the credentials file is written.
    Finished,
    /// Terraform removes things at AWS, or was ended while it did.
    Destroying,
}

impl State {
    /// The beginning of a run after `before`, if there was one. It may be for another region than one that made nothing.
    pub fn begin(before: Option<&Self>, workspace: &Workspace, region: &str, root: Root) -> Self {
        let mut state = before.cloned().unwrap_or_else(|| Self::new(workspace.gateway(), region, root));
        region.clone_into(&mut state.region);
        // Where this file was lost, Terraform's is not.
        state.made |= workspace.terraform().join(root.directory()).join(MADE).exists();
        state
    }

    fn new(gateway: &str, region: &str, root: Root) -> Self {
        let (gateway, region) = (gateway.to_owned(), region.to_owned());
        let (digest, files, var_files, secrets, outputs) = Default::default();
        let (step, made, updated_at) = (Step::Prepared, false, 0);
        Self {
            version: VERSION,
            gateway,
            region,
            root,
            step,
            made,
            digest,
            updated_at,
            files,
            var_files,
            secrets,
            outputs,
        }
    }

    /// What an earlier run has left; none if there was none.
    ///
    /// # Errors
    /// A file that cannot be read or that another version of this program has written.
    pub fn load(workspace: &Workspace) -> Result<Option<Self>, Unwritten> {
        let path = workspace.state();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(Unwritten { path, done: "read", why }),
        };
        Self::read(&text).map(Some).map_err(Unwritten::at(&path, "read"))
    }

    fn read(text: &str) -> io::Result<Self> {
        #[derive(Deserialize)]
        struct Form {
            version: u32,
        }
        // First, because another form has other members.
        let form: Form = serde_json::from_str(text).map_err(strange)?;
        match form.version {
            VERSION => serde_json::from_str(text).map_err(strange),
            other => Err(io::Error::other(format!(
                "it has the form {other}, which this version of causeway does not know; use the version that wrote it"
            ))),
        }
    }

    /// Remembers that `step` is done, or has begun.
    ///
    /// # Errors
    /// [`Unwritten`].
    pub fn reach(&mut self, step: Step, workspace: &Workspace, now: u64) -> Result<(), Unwritten> {
        (self.step, self.updated_at) = (step, now);
        self.save(&workspace.state())
    }

    fn save(&self, path: &Path) -> Result<(), Unwritten> {
        write_private(path, &(serde_json::to_string_pretty(self).expect("texts and numbers alone") + "\n"))
    }
}

impl Mark {
    /// The mark of `secrets`, which were those of this mark, or others.
    #[must_use]
    pub fn next(&self, secrets: &str) -> Self {
        let digest = |salt: &str| hex(digest::digest(&digest::SHA256, [salt, secrets].concat().as_bytes()).as_ref());
        if self.version > 0 && digest(&self.salt) == self.digest {
            return self.clone();
        }
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).expect("the system gives random bytes");
        let salt = hex(&bytes);
        Self { version: self.version + 1, digest: digest(&salt), salt }
    }
}

fn strange(why: serde_json::Error) -> io::Error {
    io::Error::other(format!(
        "it is not as causeway writes it ({why}); remove it and deploy again, for what was made is known to Terraform"
    ))
}

/// As digests are written.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step.fmt(f)?;
        match self.made {
            true if self.step < Step::Applying => f.write_str("; what was deployed before is there"),
            false => f.write_str("; nothing is changed at AWS"),
            true => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prepared => "prepared",
            Self::Initialized => "Terraform is initialized",
            Self::Planned => "planned",
            Self::Applying => "being made: Terraform did not end what it began",
            Self::Applied => "made, but its credentials file is not written",
            Self::Finished => "deployed",
            Self::Destroying => "being destroyed: Terraform did not end what it began",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        let base = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(base.path(), "tools");
        let _lock = workspace.lock().unwrap();
        assert_eq!(State::load(&workspace).unwrap(), None);
        let mut state = State::new("tools", "us-east-1", Root::Agentcore);
        state.reach(Step::Planned, &workspace, 7).unwrap();
        assert_eq!(State::load(&workspace).unwrap(), Some(state));
        assert_eq!(State::load(&workspace).unwrap().unwrap().to_string(), "planned; nothing is changed at AWS");
        fs::write(workspace.state(), r#"{"version": 1}"#).unwrap();
        assert!(State::load(&workspace).unwrap_err().to_string().contains("remove it and deploy again"));
        fs::write(workspace.state(), r#"{"version": 2, "stage": 7}"#).unwrap();
        assert!(State::load(&workspace).unwrap_err().to_string().contains("use the version that wrote it"));
    }

    #[test]
    fn what_terraform_made_is_known_without_it_and_the_region_is_the_last() {
        let base = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(base.path(), "tools");
        let begin = |before, region| State::begin(before, &workspace, region, Root::Agentcore);
        let before = begin(None, "us-east-1");
        assert!(!before.made);
        assert_eq!(begin(Some(&before), "eu-west-1").region, "eu-west-1");
        let root = workspace.terraform().join("agentcore");
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join(MADE), "{}").unwrap();
        assert!(begin(None, "us-east-1").made);
    }

    #[test]
    fn changed_secrets_are_seen_and_not_kept() {
        let first = Mark::default().next("hunter2");
        assert_eq!((first.version, first.next("hunter2")), (1, first.clone()));
        assert_eq!(first.next("hunter3").version, 2);
        assert!(!format!("{first:?}").contains("hunter2"));
    }
}
