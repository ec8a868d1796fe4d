//! `causeway check`: loads and resolves config.toml and says what it found. Starts and reaches nothing.

use std::path::Path;

use super::{
    ConfigArgs, regions,
    screen::{notice, out_line, tell},
};
use crate::config::{Authorizer, Config, Mistakes, environment::Environment};

/// Prints what [`check`] says, and warns of what is allowed but hardly meant.
///
/// # Errors
/// Every mistake of the file.
pub fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    out_line(&check(&args.config, &environment)?)?;
    for doubt in regions::unknown(&Config::load(&args.config, &environment)?) {
        tell!("{}", notice("warning", &doubt.to_string()));
    }
    Ok(())
}

/// A line about the configuration at `path`, for standard output.
///
/// # Errors
/// Every mistake of the file.
pub fn check(path: &Path, environment: &Environment) -> Result<String, Mistakes> {
    let config = Config::load(path, environment)?;
    let targets: Vec<String> = config.targets.iter().map(|target| format!("`{}`", target.name)).collect();
    let callers = match config.authorizer {
        Authorizer::None => "anyone",
        Authorizer::CustomJwt(_) => "callers with a token",
        Authorizer::AwsIam(_) => "AWS principals",
    };
    let toolsets: Vec<String> = config.toolsets.iter().map(|toolset| format!("`{}`", toolset.name)).collect();
    let toolsets = if toolsets.is_empty() { String::new() } else { format!(", toolsets {}", toolsets.join(", ")) };
    Ok(format!(
        "{} is good: listens on {}, serves {callers}, targets {}{toolsets}",
        path.display(),
        config.gateway.listen,
        targets.join(", ")
    ))
}
