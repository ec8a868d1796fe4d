//! The config.toml that a root serves at AWS: looked at here as `causeway check` does it, but for what only the machine has that will
//! serve it. Changes nothing in it.

use std::{fs, path::Path};

use crate::{
    cli::{
        regions,
        screen::{notice, tell},
    },
    config::{Draft, Environment, Mistakes},
    deploy::Root,
};

/// What `terraform/lambda` puts into the text, and a value of the same form.
const FACTS: [(&str, &str); 4] = [
    ("public_url", "https://gateway.example.com/mcp"),
    ("discovery_url", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE/.well-known/openid-configuration"),
    ("client_id", "client"),
    ("scope", "gateway/invoke"),
];

/// The text of the file at `path`, if `root` could serve it.
///
/// # Errors
/// Every mistake of the file.
pub(super) fn text(path: &Path, root: Root) -> Result<String, Mistakes> {
    let text = fs::read_to_string(path).map_err(|why| {
        Mistakes::of_file(path, format!("cannot be read: {why}; give the path of a config.toml that is there"))
    })?;
    let config = match root {
        Root::Lambda => Draft::parse(path, &filled(&text)),
        Root::Agentcore | Root::SelfHosted => Draft::parse(path, &text),
    };
    let config = config?.resolve(&Environment::elsewhere())?;
    for doubt in regions::unknown(&config) {
        tell!("{}", notice("warning", &doubt.to_string()));
    }
    Ok(text)
}

/// As Terraform would fill it in. Its lines stay where they are.
fn filled(text: &str) -> String {
    // What is written with two `$` means itself, and is set aside meanwhile.
    let mut parts: Vec<String> = text.split("$${").map(str::to_owned).collect();
    for part in &mut parts {
        for (name, value) in FACTS {
            *part = part.replace(&format!("${{{name}}}"), value);
        }
    }
    parts.join("${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_terraform_fills_in_is_filled_in() {
        assert_eq!(
            filled("a = \"${public_url}\" # ${other}\n"),
            "a = \"https://gateway.example.com/mcp\" # ${other}\n"
        );
        assert_eq!(filled("$${client_id} ${client_id}"), "${client_id} client");
    }
}
