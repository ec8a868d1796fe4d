//! Runs the user's Terraform or OpenTofu: one command at a time, with its output passed on, its exit status understood, and signals
//! handed to it once each. Decides nothing about what is deployed.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    str::FromStr,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::Value;
use tokio::process::{Child, Command};

use super::{signals::Signals, workspace::Lock};
use crate::secret::Secret;

/// Tried in this order where nobody names one.
const PROGRAMS: [&str; 2] = ["terraform", "tofu"];
/// It failed, or ended because of a signal, and has said so.
const FAILED: i32 = 1;
/// `terraform plan -detailed-exitcode`: it would change something.
const CHANGES: i32 = 2;

/// A program that was found.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    pub version: Version,
}

/// One that works on a root.
#[derive(Debug)]
pub struct Terraform {
    pub program: Program,
    /// The root's directory.
    pub directory: PathBuf,
    /// Variables that are secret, and others, beside those of this process.
    pub environment: Vec<(String, Secret)>,
    pub colour: bool,
    /// Terraform has it too, so that nobody else begins while it works, even if this process is killed.
    pub lock: Lock,
}

/// Of Terraform or OpenTofu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// A text is no version.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no version")]
pub struct BadVersion(String);

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// As it should; a plan: nothing to change.
    Well,
    /// A plan: there is something to change.
    Changes,
}

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum TerraformError {
    #[error("neither `terraform` nor `tofu` is on the path; install one of them, or name it with `--terraform PATH`")]
    Missing,
    #[error("`{}` cannot be started: {why}", path.display())]
    Unstartable { path: PathBuf, why: io::Error },
    #[error("`{}` does not say which version it is; name Terraform or OpenTofu with `--terraform PATH`", .0.display())]
    Unknown(PathBuf),
    #[error("`{}` is version {found}, and at least {needed} is needed; install a newer one, or name it with `--terraform PATH`", path.display())]
    Old { path: PathBuf, found: Version, needed: Version },
    /// It has said why itself.
    #[error("`{command}` failed ({status}); what it says is above")]
    Failed { command: String, status: String },
    /// By a signal to us, and it has ended.
    #[error("interrupted")]
    Interrupted,
    /// It crashed or was killed, so it has not written down what it was making. Terraform 1.15 crashes when a signal comes during an action.
    #[error("`{command}` did not end by itself ({status})")]
    CutShort { command: String, status: String, interrupted: bool },
    #[error("`{command}` gave an answer that is not known: {why}")]
    Unreadable { command: String, why: String },
}

impl TerraformError {
    /// Whether somebody wanted it to end.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted | Self::CutShort { interrupted: true, .. })
    }
}

impl Program {
    /// The one that is named, else the first that there is.
    ///
    /// # Errors
    /// There is none, or it is older than `needed`.
    pub async fn find(named: Option<&Path>, needed: Version) -> Result<Self, TerraformError> {
        let candidates: Vec<&Path> = match named {
            Some(path) => vec![path],
            None => PROGRAMS.iter().map(Path::new).collect(),
        };
        for path in candidates {
            let path = full(path);
            let version = match version_of(&path).await {
                Err(TerraformError::Unstartable { why, .. })
                    if named.is_none() && why.kind() == io::ErrorKind::NotFound =>
                {
                    continue;
                }
                version => version?,
            };
            return match version >= needed {
                true => Ok(Self { path, version }),
                false => Err(TerraformError::Old { path, found: version, needed }),
            };
        }
        Err(TerraformError::Missing)
    }
}

/// A path that is relative means this directory, also once the program starts in another.
fn full(path: &Path) -> PathBuf {
    match path.components().count() > 1 {
        true => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        false => path.to_owned(),
    }
}

async fn version_of(path: &Path) -> Result<Version, TerraformError> {
    let mut command = Command::new(path);
    command.args(["version", "-json"]).env("CHECKPOINT_DISABLE", "1").stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await;
    let output = output.map_err(|why| TerraformError::Unstartable { path: path.to_owned(), why })?;
    let answer: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    // OpenTofu says it under the same name.
    let version = answer.as_ref().and_then(|answer| answer["terraform_version"].as_str()?.parse().ok());
    version.ok_or_else(|| TerraformError::Unknown(path.to_owned()))
}

impl Terraform {
    /// Runs a command with its output on our standard error; `hint` is called once when a signal comes, which is passed on.
    ///
    /// # Errors
    /// [`TerraformError`]. After a signal it is `Interrupted` or `CutShort`, once Terraform has ended.
    pub async fn run(
        &self,
        arguments: &[&str],
        signals: &mut Signals,
        hint: impl Fn(),
    ) -> Result<Done, TerraformError> {
        let colour: &[&str] = if self.colour { &[] } else { &["-no-color"] };
        let mut command = self.command(arguments);
        let mut child = command.args(colour).stdout(Stdio::from(io::stderr())).spawn().map_err(self.unstartable())?;
        let (status, interrupted) = self.wait(&mut child, signals, hint).await?;
        let (command, said) = (self.named(arguments), status.to_string());
        match status.code() {
            Some(0 | FAILED | CHANGES) if interrupted => Err(TerraformError::Interrupted),
            Some(0) => Ok(Done::Well),
            Some(CHANGES) if arguments.contains(&"-detailed-exitcode") => Ok(Done::Changes),
            Some(FAILED | CHANGES) => Err(TerraformError::Failed { command, status: said }),
            _ => Err(TerraformError::CutShort { command, status: said, interrupted }),
        }
    }

    /// What the root gives, secrets too.
    ///
    /// # Errors
    /// [`TerraformError`].
    pub async fn outputs(&self) -> Result<Value, TerraformError> {
        self.answer(&["output", "-json"]).await
    }

    /// The text that the root's variable `name` has in `plan`, whoever gave it: a file, the environment, the root itself.
    ///
    /// # Errors
    /// [`TerraformError`].
    pub async fn planned(&self, plan: &Path, name: &str) -> Result<Option<String>, TerraformError> {
        let answer = self.answer(&["show", "-json", &plan.display().to_string()]).await?;
        Ok(answer["variables"][name]["value"].as_str().map(str::to_owned))
    }

    async fn answer(&self, arguments: &[&str]) -> Result<Value, TerraformError> {
        let mut command = self.command(arguments);
        let output = command.kill_on_drop(true).stderr(Stdio::inherit()).output().await.map_err(self.unstartable())?;
        let command = self.named(arguments);
        if !output.status.success() {
            return Err(TerraformError::Failed { command, status: output.status.to_string() });
        }
        serde_json::from_slice(&output.stdout).map_err(|why| TerraformError::Unreadable {
            command,
            why: format!("{:?} at its column {}", why.classify(), why.column()),
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program.path);
        command.args(arguments).current_dir(&self.directory);
        // No advice to run commands that this one runs, and no questions.
        command.env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0");
        command.envs(self.environment.iter().map(|(name, value)| (name, value.expose())));
        // A terminal's Ctrl-C goes to us alone: Terraform would take ours for a second one, and end at once.
        command.process_group(0);
        command.stdin(self.lock.as_input().unwrap_or_else(|_| Stdio::null()));
        command
    }

    fn unstartable(&self) -> impl FnOnce(io::Error) -> TerraformError {
        |why| TerraformError::Unstartable { path: self.program.path.clone(), why }
    }

    fn named(&self, arguments: &[&str]) -> String {
        let name = self.program.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name} {}", arguments[0])
    }

    /// How it ended, and whether a signal had come.
    async fn wait(
        &self,
        child: &mut Child,
        signals: &mut Signals,
        hint: impl Fn(),
    ) -> Result<(ExitStatus, bool), TerraformError> {
        let mut told = false;
        loop {
            tokio::select! {
                status = child.wait() => return match status {
                    Ok(status) => Ok((status, told)),
                    Err(why) => Err(self.unstartable()(why)),
                },
                () = signals.next() => {}
            }
            if !told {
                hint();
            }
            told = true;
            if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
                // To its whole group, as a terminal does: a script around Terraform would keep it to itself. One that has just ended
                // needs no word.
                let _ = killpg(Pid::from_raw(id), Signal::SIGINT);
            }
        }
    }
}

impl Version {
    /// Write-only arguments, which keep secrets out of Terraform's state.
    pub const LEAST: Self = Self(1, 11, 0);
}

impl FromStr for Version {
    type Err = BadVersion;

    /// `1.15`, `1.15.5`, `1.16.0-beta1`.
    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let bad = || BadVersion(text.to_owned());
        let release = text.split(['-', '+']).next().unwrap_or(text);
        let parts: Result<Vec<u32>, _> = release.split('.').map(str::parse).collect();
        match parts.map_err(|_| bad())?[..] {
            [major, minor] => Ok(Self(major, minor, 0)),
            [major, minor, patch] => Ok(Self(major, minor, patch)),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("1.15.5") > version("1.11") && version("1.9.8") < version("1.11"));
        assert_eq!(version("1.16.0-beta1"), Version(1, 16, 0));
        assert!("tofu".parse::<Version>().is_err());
    }
}
