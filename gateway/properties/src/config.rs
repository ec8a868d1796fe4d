//! config.toml, from its text to the configuration or to its mistakes.

use std::path::Path;

use causeway::config::{Draft, Environment};

/// Stands nowhere but where it was put.
const SECRET: &str = "Zq7Zq7Zq7Zq7Zq7Zq7Zq7";

/// The whole text. Each text is a configuration or has mistakes that name their file; neither repeats a secret that somebody wrote
/// into it, and read again it comes to the same.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.contains(SECRET) {
        return;
    }
    let first = judged(text);
    assert_eq!(judged(text), first, "the same text is judged in another way");
    for line in ["client_secret = ", "key = ", "password = ", "client_secret_env = "] {
        let with = format!("{text}\n{line}\"{SECRET}\"\n");
        let said = judged(&with).unwrap_or_else(|mistakes| mistakes);
        assert!(!said.contains(SECRET), "{said}");
    }
}

/// What it says for people, or its mistakes.
fn judged(text: &str) -> Result<String, String> {
    let path = Path::new("config.toml");
    let said = |mistakes: causeway::config::Mistakes| {
        let said = mistakes.to_string();
        assert!(!mistakes.mistakes.is_empty(), "nothing is wrong, and it is no configuration");
        assert!(said.contains("config.toml"), "mistakes do not say where: {said}");
        assert!(
            mistakes.mistakes.iter().filter_map(|mistake| mistake.line).all(|line| line <= text.lines().count() + 1)
        );
        said
    };
    let config = Draft::parse(path, text).map_err(said)?.resolve(&Environment::elsewhere()).map_err(said)?;
    Ok(format!("{:?} {config:?}", config.written.outline()))
}
