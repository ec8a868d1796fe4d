//! Where a client's file is: by its facts, on this system, for the user or for a project. Looks at no file.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::profile::Client;

/// For whom an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// All projects of this user
    #[default]
    User,
    /// The project in the current directory, and whoever works on it
    Project,
}

/// Where a user's own file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserFile {
    /// From the home directory.
    Home(&'static str),
    /// In `directory` of the home directory, unless `variable` names another in its place.
    Moved { variable: &'static str, directory: &'static str, file: &'static str },
    /// In the directory of VS Code's default facts.
    VsCode(&'static str),
}

/// A kind of system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    Linux,
    MacOs,
    Windows,
}

/// What a place depends on.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub os: Os,
    /// Variables of the environment; empty ones are absent.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The project.
    pub directory: &'a Path,
}

/// Why a place is unknown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoPlace {
    #[error("`{0}` stands for any client, whose file nobody knows here: name it with `--file PATH`")]
    AnyClient(&'static str),
    #[error("there is no home directory: set `{0}`, or name the file with `--file PATH`")]
    NoHome(&'static str),
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("os", &self.os).field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Os {
    /// This one. What is neither macOS nor Windows keeps its files as Linux does.
    pub fn this() -> Self {
        match std::env::consts::OS {
            "macos" => Self::MacOs,
            "windows" => Self::Windows,
            _ => Self::Linux,
        }
    }

    fn home(self) -> &'static str {
        match self {
            Self::Windows => "USERPROFILE",
            Self::Linux | Self::MacOs => "HOME",
        }
    }
}

/// The file of `client` for `scope`.
///
/// # Errors
/// [`NoPlace`] where the client has none, or where there is no home directory.
pub fn place(client: Client, scope: Scope, around: &Surroundings<'_>) -> Result<PathBuf, NoPlace> {
    let facts = client.facts();
    let unknown = NoPlace::AnyClient(client.name());
    match scope {
        Scope::Project => Ok(around.directory.join(facts.project.ok_or(unknown)?)),
        Scope::User => user_file(facts.user.ok_or(unknown)?, around),
    }
}

fn user_file(file: UserFile, around: &Surroundings<'_>) -> Result<PathBuf, NoPlace> {
    let variable = |name: &str| (around.variable)(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || variable(around.os.home()).ok_or(NoPlace::NoHome(around.os.home()));
    match file {
        UserFile::Home(path) => Ok(home()?.join(path)),
        UserFile::Moved { variable: name, directory, file } => match variable(name) {
            Some(directory) => Ok(directory.join(file)),
            None => Ok(home()?.join(directory).join(file)),
        },
        UserFile::VsCode(path) => {
            let user = match variable("VSCODE_PORTABLE") {
                Some(portable) => portable.join("user-data"),
                None => application_data(around, variable, home)?.join("Code"),
            };
            Ok(user.join("User").join(path))
        }
    }
}

fn application_data(
    around: &Surroundings<'_>,
    variable: impl Fn(&str) -> Option<PathBuf>,
    home: impl Fn() -> Result<PathBuf, NoPlace>,
) -> Result<PathBuf, NoPlace> {
    let told = match around.os {
        Os::Linux => variable("VSCODE_APPDATA").or_else(|| variable("XDG_CONFIG_HOME")),
        Os::MacOs => variable("VSCODE_APPDATA"),
        Os::Windows => variable("VSCODE_APPDATA").or_else(|| variable("APPDATA")),
    };
    match (told, around.os) {
        (Some(told), _) => Ok(told),
        (None, Os::Linux) => Ok(home()?.join(".config")),
        (None, Os::MacOs) => Ok(home()?.join("Library/Application Support")),
        (None, Os::Windows) => Ok(home()?.join("AppData/Roaming")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(os: Os, variables: &[(&str, &str)], expected: [&str; 6]) {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
        let around = Surroundings { os, variable: &variable, directory: Path::new("/work") };
        let places: Vec<String> = Client::value_variants()
            .iter()
            .filter(|client| **client != Client::Any)
            .map(|client| place(*client, Scope::User, &around).unwrap().display().to_string().replace('\\', "/"))
            .collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn the_users_files() {
        check(
            Os::Linux,
            &[("HOME", "/home/a"), ("COPILOT_HOME", "")],
            [
                "/home/a/.config/Code/User/mcp.json",
                "/home/a/.aws/amazonq/mcp.json",
                "/home/a/.kiro/settings/mcp.json",
                "/home/a/.claude.json",
                "/home/a/.cursor/mcp.json",
                "/home/a/.copilot/mcp-config.json",
            ],
        );
        let moved = [("XDG_CONFIG_HOME", "/x"), ("CLAUDE_CONFIG_DIR", "/c"), ("COPILOT_HOME", "/p"), ("HOME", "/h")];
        check(
            Os::Linux,
            &moved,
            [
                "/x/Code/User/mcp.json",
                "/h/.aws/amazonq/mcp.json",
                "/h/.kiro/settings/mcp.json",
                "/c/.claude.json",
                "/h/.cursor/mcp.json",
                "/p/mcp-config.json",
            ],
        );
        check(
            Os::MacOs,
            &[("HOME", "/Users/a"), ("XDG_CONFIG_HOME", "/x")],
            [
                "/Users/a/Library/Application Support/Code/User/mcp.json",
                "/Users/a/.aws/amazonq/mcp.json",
                "/Users/a/.kiro/settings/mcp.json",
                "/Users/a/.claude.json",
                "/Users/a/.cursor/mcp.json",
                "/Users/a/.copilot/mcp-config.json",
            ],
        );
        check(
            Os::Windows,
            &[("USERPROFILE", "C:/Users/a"), ("APPDATA", "C:/Users/a/AppData/Roaming"), ("HOME", "/not/here")],
            [
                "C:/Users/a/AppData/Roaming/Code/User/mcp.json",
                "C:/Users/a/.aws/amazonq/mcp.json",
                "C:/Users/a/.kiro/settings/mcp.json",
                "C:/Users/a/.claude.json",
                "C:/Users/a/.cursor/mcp.json",
                "C:/Users/a/.copilot/mcp-config.json",
            ],
        );
    }

    #[test]
    fn a_projects_files_and_places_that_there_are_not() {
        let around = Surroundings { os: Os::Linux, variable: &|_| None, directory: Path::new("/work") };
        let project = |client| place(client, Scope::Project, &around).map(|path| path.display().to_string());
        assert_eq!(project(Client::VSCODE).unwrap(), "/work/.vscode/mcp.json");
        assert_eq!(project(Client::CLAUDE_CODE), project(Client::COPILOT_CLI));
        assert_eq!(project(Client::Any), Err(NoPlace::AnyClient("json")));
        assert_eq!(place(Client::KIRO, Scope::User, &around), Err(NoPlace::NoHome("HOME")));
    }
}
