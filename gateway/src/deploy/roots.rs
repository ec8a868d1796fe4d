//! The Terraform roots that the program carries. Runs none of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::Context;
use serde::{Deserialize, Serialize};

use super::{
    terraform::Version,
    workspace::{Unwritten, private_directory, write_private},
};

/// Every file of the repository's `terraform/`: its path there, and its text.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/terraform.rs"));

/// Endings of what somebody may put beside a root for Terraform to read: a backend, an override, variables. Ours are among them.
const OTHERS: [&str; 4] = ["tf", "tofu", "tfvars", "json"];

/// Shared by the roots, which name them by `../modules`.
const MODULES: &str = "modules";

/// What can be deployed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Root {
    /// An AgentCore Gateway with Runtimes behind it.
    Agentcore,
    /// This gateway on ECS Fargate.
    SelfHosted,
    /// This gateway on Lambda.
    Lambda,
}

/// The program was built from a part of the repository.
#[derive(Debug, thiserror::Error)]
#[error("this causeway was built without that Terraform root; take one that was built from the whole repository")]
pub struct NotCarried;

impl Root {
    /// Its directory below `terraform`.
    pub fn directory(self) -> &'static str {
        match self {
            Self::Agentcore => "agentcore",
            Self::SelfHosted => "self-hosted",
            Self::Lambda => "lambda",
        }
    }

    /// The command that deploys it.
    pub fn command(self) -> &'static str {
        match self {
            Self::Agentcore => "causeway deploy",
            Self::SelfHosted => "causeway deploy self-hosted",
            Self::Lambda => "causeway deploy lambda",
        }
    }

    /// Its files and those of the modules.
    pub fn files(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let mine = move |path: &str| {
            let first = path.split('/').next();
            first == Some(self.directory()) || first == Some(MODULES)
        };
        FILES.iter().copied().filter(move |(path, _)| mine(path))
    }

    /// Whether this program has it.
    pub fn is_carried(self) -> bool {
        let own = format!("{}/", self.directory());
        self.files().any(|(name, _)| name.starts_with(&own))
    }

    /// Writes them below `directory`, and removes those of `before` that there are no longer. What somebody else has put there stays.
    /// Gives their names, for the next time.
    ///
    /// # Errors
    /// [`Unwritten`].
    pub fn write(self, directory: &Path, before: &[String]) -> Result<Vec<String>, Unwritten> {
        for (name, text) in self.files() {
            let path = directory.join(name);
            private_directory(path.parent().unwrap_or(directory))?;
            if fs::read_to_string(&path).ok().as_deref() != Some(text) {
                write_private(&path, text)?;
            }
        }
        let names: Vec<String> = self.files().map(|(name, _)| name.to_owned()).collect();
        for old in before.iter().filter(|old| !names.contains(old)) {
            let path: PathBuf = directory.join(old);
            match fs::remove_file(&path) {
                Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Unwritten { path, done: "removed", why });
                }
                _ => {}
            }
        }
        Ok(names)
    }

    /// Adds to `digest` what it is made of, and what somebody has put beside it below `directory`.
    ///
    /// # Errors
    /// [`Unwritten`].
    pub fn digest(self, directory: &Path, digest: &mut Context) -> Result<(), Unwritten> {
        let mut add = |name: &str, bytes: &[u8]| {
            for part in [name.as_bytes(), bytes] {
                digest.update(&(part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        };
        self.files().for_each(|(name, text)| add(name, text.as_bytes()));
        let own = directory.join(self.directory());
        let entries = fs::read_dir(&own).map_err(Unwritten::at(&own, "read"))?.flatten().map(|entry| entry.path());
        let ours = |path: &Path| self.files().any(|(name, _)| directory.join(name) == path);
        let read_by_terraform = |path: &PathBuf| {
            path.is_file() && path.extension().is_some_and(|it| OTHERS.iter().any(|other| it == *other)) && !ours(path)
        };
        let mut others: Vec<PathBuf> = entries.filter(read_by_terraform).collect();
        others.sort();
        for path in others {
            let bytes = fs::read(&path).map_err(Unwritten::at(&path, "read"))?;
            add(&path.display().to_string(), &bytes);
        }
        Ok(())
    }

    /// The oldest program that it works with, by its own word: `required_version = ">= 1.11"`. Where it asks less of OpenTofu than of
    /// Terraform, that; Terraform says the rest itself.
    pub fn needs(self) -> Version {
        let own = format!("{}/", self.directory());
        let lines = self.files().filter(|(name, _)| name.starts_with(&own)).flat_map(|(_, text)| text.lines());
        let said = lines.filter_map(|line| {
            let (_, wanted) = line.trim().strip_prefix("required_version")?.split_once(">=")?;
            let wanted: String = wanted.trim().chars().take_while(|it| it.is_ascii_digit() || *it == '.').collect();
            wanted.parse().ok()
        });
        said.min().unwrap_or(Version::LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_comes_with_its_modules() {
        let names: Vec<&str> = Root::Agentcore.files().map(|(name, _)| name).collect();
        assert!(names.contains(&"agentcore/main.tf") && names.contains(&"agentcore/variables.tf"), "{names:?}");
        assert!(names.iter().any(|name| name.starts_with("modules/")), "{names:?}");
        assert!(names.iter().all(|name| !name.contains("/tests/") && !name.contains("tfvars")), "{names:?}");
        assert!(Root::Agentcore.needs() >= Version::LEAST);
    }

    #[test]
    fn what_is_no_longer_of_use_goes_and_what_is_not_ours_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir_all(path("agentcore")).unwrap();
        fs::write(path("agentcore/old.tf"), "").unwrap();
        fs::write(path("agentcore/backend.tf"), "").unwrap();
        let names =
            Root::Agentcore.write(directory.path(), &["agentcore/old.tf".into(), "agentcore/gone.tf".into()]).unwrap();
        assert!(!path("agentcore/old.tf").exists() && path("agentcore/backend.tf").exists());
        assert!(names.iter().all(|name| path(name).is_file()));
        let digest = || {
            let mut digest = Context::new(&aws_lc_rs::digest::SHA256);
            Root::Agentcore.digest(directory.path(), &mut digest).unwrap();
            digest.finish().as_ref().to_vec()
        };
        let before = digest();
        assert_eq!(digest(), before);
        fs::write(path("agentcore/backend.tf"), "terraform {}").unwrap();
        assert_ne!(digest(), before, "another backend wants another `terraform init`");
    }
}
