//! `causeway check`: loads and resolves config.toml and says what it found. Starts and reaches nothing.

use super::{
    ConfigArgs, regions,
    screen::{notice, out_line, tell},
};
use crate::config::{Authorizer, Config, Environment};

/// Prints [`summary`], and warns of what is allowed but hardly meant.
///
/// # Errors
/// Every mistake of the file.
pub fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    let config = args.load(&Environment::process())?;
    out_line(&summary(&config))?;
    for doubt in regions::unknown(&config) {
        tell!("{}", notice("warning", &doubt.to_string()));
    }
    Ok(())
}

/// A line about a configuration without mistakes, for standard output.
pub fn summary(config: &Config) -> String {
    let targets: Vec<String> = config.targets.iter().map(|target| format!("`{}`", target.name)).collect();
    let callers = match config.authorizer {
        Authorizer::None => "anyone",
        Authorizer::CustomJwt(_) => "callers with a token",
        Authorizer::AwsIam(_) => "AWS principals",
    };
    let toolsets: Vec<String> = config.toolsets.iter().map(|toolset| format!("`{}`", toolset.name)).collect();
    let toolsets = if toolsets.is_empty() { String::new() } else { format!(", toolsets {}", toolsets.join(", ")) };
    format!(
        "{} is good: listens on {}, serves {callers}, targets {}{toolsets}",
        config.written.path.display(),
        config.gateway.listen,
        targets.join(", ")
    )
}
