//! Which configuration a command means: a file that is named, a text in a variable of the environment, or config.toml here.
//! Says nothing about what is in it.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{
    Config, Draft, Environment, Mistakes,
    environment::{Reference, Unavailable},
};

/// Holds the text of a config.toml where there is no place for a file: Lambda, ECS, a container without a volume.
pub(super) const TEXT_VARIABLE: &str = "CAUSEWAY_CONFIG_TOML";
/// What is read where nothing says otherwise.
pub(super) const FILE: &str = "config.toml";

/// Where the configuration is.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// The configuration file; default: the text in the variable CAUSEWAY_CONFIG_TOML, where that is set, else config.toml
    #[arg(short, long, value_name = "PATH", env = "CAUSEWAY_CONFIG")]
    pub config: Option<PathBuf>,
}

impl ConfigArgs {
    /// What it says, resolved.
    ///
    /// # Errors
    /// Every mistake of it. They name the file, or the variable, as their place.
    pub fn load(&self, environment: &Environment) -> Result<Config, Mistakes> {
        self.draft(environment)?.resolve(environment)
    }

    /// What it says. Relative paths in it start at the directory of the file; in a variable's text, where the process runs.
    ///
    /// # Errors
    /// When it cannot be read or is no TOML.
    pub fn draft(&self, environment: &Environment) -> Result<Draft, Mistakes> {
        let (place, text) = self.text(environment)?;
        Draft::parse(&place, &text)
    }

    /// The file; none where a variable holds the text.
    pub fn file(&self, environment: &Environment) -> Option<&Path> {
        let unset = || matches!(environment.look_up(Reference::Variable(TEXT_VARIABLE)), Err(Unavailable::Unset));
        self.config.as_deref().or_else(|| unset().then_some(Path::new(FILE)))
    }

    /// The text, and the place that messages name for it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, environment: &Environment) -> Result<(PathBuf, String), Mistakes> {
        if let Some(path) = self.file(environment) {
            return Ok((path.into(), Draft::text(path)?));
        }
        let variable = PathBuf::from(TEXT_VARIABLE);
        match environment.look_up(Reference::Variable(TEXT_VARIABLE)) {
            Ok(text) => Ok((variable, text.expose().to_owned())),
            Err(why) => {
                let way_out = "write the text of a config.toml into it, or unset it and name a file with `--config`";
                Err(Mistakes::of_file(&variable, format!("the variable {why}; {way_out}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        authorizer = "none"
        [[targets]]
        name = "orders"
        http.endpoint = "http://127.0.0.1:1/mcp"
    "#;

    fn from(path: Option<&Path>, variables: &[(&str, &str)]) -> Result<String, String> {
        let args = ConfigArgs { config: path.map(Into::into) };
        let config = args.load(&Environment::of(variables.iter().copied()));
        config.map(|config| config.targets[0].name.to_string()).map_err(|mistakes| mistakes.to_string())
    }

    #[test]
    fn a_variable_may_hold_the_text() {
        assert_eq!(from(None, &[(TEXT_VARIABLE, GOOD)]), Ok("orders".into()));
    }

    #[test]
    fn a_file_that_is_named_counts_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("named.toml");
        std::fs::write(&path, GOOD.replace("orders", "named")).unwrap();
        assert_eq!(from(Some(&path), &[(TEXT_VARIABLE, GOOD)]), Ok("named".into()));
    }

    #[test]
    fn mistakes_name_the_variable_as_their_place() {
        let text = "authorizer = \"none\"\n[gateway]\ncolour = \"red\"\n[[targets]]\nname = \"a\"\n";
        insta::assert_snapshot!(from(None, &[(TEXT_VARIABLE, text)]).unwrap_err(), @r#"
        CAUSEWAY_CONFIG_TOML:3: unknown key `colour` in `gateway`; it takes `name`, `listen`, `public_url`, `allowed_origins`, `instructions`, `names`, `list_page`, `exception_level`, `enable_response_streaming` or `allow_unauthenticated`
        CAUSEWAY_CONFIG_TOML:4: target `a`: nothing says where the target is; write `http.endpoint = "https://…/mcp"` for a server that runs, or `stdio.command = ["program", "argument"]` for one to start
        2 mistakes
        "#);
        insta::assert_snapshot!(from(None, &[(TEXT_VARIABLE, "gateway = [")]).unwrap_err(), @"
        CAUSEWAY_CONFIG_TOML:1: is no TOML here: unclosed array, expected `]`; texts stand in quotes, and https://toml.io shows the rest
        1 mistake
        ");
        insta::assert_snapshot!(from(None, &[(TEXT_VARIABLE, "")]).unwrap_err(), @"
        CAUSEWAY_CONFIG_TOML: the variable is empty; write the text of a config.toml into it, or unset it and name a file with `--config`
        1 mistake
        ");
    }
}
