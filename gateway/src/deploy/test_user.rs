//! The user that is made in the gateway's pool so that a person can try it: their name and password from the environment, a `.env`
//! file, or the credentials file of before; else a password that nobody else has.

use std::{collections::BTreeMap, fs, io, path::Path};

use aws_lc_rs::rand;

use crate::{
    config::{Environment, environment::Reference},
    secret::Secret,
};

/// What `terraform/agentcore` wants of a password where nobody says otherwise, in its variable `password_policy`.
const LEAST: usize = 12;

/// Who they are where nobody says it.
pub const NAME: &str = "testuser";
const LENGTH: usize = 24;
/// One of each is in a password, as Cognito's strictest policy wants. None needs quotes in a shell.
const LETTERS: [&[u8]; 4] = [b"abcdefghijkmnopqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789", b"-_.+="];

/// All that is read of `.env`.
const NAMES: [&str; 3] = ["COGNITO_USERNAME", "COGNITO_PASSWORD", "COGNITO_TEMP_PASSWORD"];

/// A text that somebody has given, and where: for a person.
type Given = (String, Secret);

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestUser {
    pub name: String,
    pub password: Secret,
}

/// `.env` is there and of no use.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be read: {why}; write lines like `COGNITO_USERNAME=alice`")]
pub struct BadEnvFile {
    path: String,
    why: String,
}

impl TestUser {
    /// For Terraform where it removes the user: any password that its policy takes.
    pub fn of_nobody() -> Self {
        Self { name: NAME.into(), password: password_of_nobody() }
    }

    /// What is wrong with what `environment` and `.env` in `directory` say of them, before anything is made for it.
    pub fn wrong(directory: &Path, environment: &Environment) -> Option<String> {
        let (_, password) = match given(directory, environment) {
            Ok(given) => given,
            Err(bad) => return Some(bad.to_string()),
        };
        let (place, password) = password?;
        let lacking = lacking(password.expose());
        let todo = "give another, or none, and one is made";
        (!lacking.is_empty()).then(|| {
            format!(
                "the password in {place} is none that the user pool takes, for want of {}; {todo}",
                lacking.join(", ")
            )
        })
    }

    /// As `environment` says, else `.env` in `directory`, else `before`.
    ///
    /// # Errors
    /// [`BadEnvFile`].
    pub fn find(directory: &Path, environment: &Environment, before: Option<Self>) -> Result<Self, BadEnvFile> {
        let (name, password) = given(directory, environment)?;
        let name = name.map(|(_, name)| name.expose().to_owned());
        let before = before.as_ref();
        Ok(Self {
            name: name.or(before.map(|user| user.name.clone())).unwrap_or_else(|| NAME.into()),
            password: password
                .map(|(_, password)| password)
                .or(before.map(|user| user.password.clone()))
                .unwrap_or_else(password_of_nobody),
        })
    }
}

/// Their name and password, if somebody gives one.
fn given(directory: &Path, environment: &Environment) -> Result<(Option<Given>, Option<Given>), BadEnvFile> {
    let file = env_file(&directory.join(".env"))?;
    let given = |name: &str| {
        let variable = environment.look_up(Reference::Variable(name)).ok().map(|value| (format!("`{name}`"), value));
        let of_file = || file.get(name).filter(|value| !value.expose().is_empty()).cloned();
        variable.or_else(|| Some((format!("`{name}` of `.env`"), of_file()?)))
    };
    // A password that was temporary would do where no other is said: Terraform sets it for good.
    Ok((given("COGNITO_USERNAME"), given("COGNITO_PASSWORD").or_else(|| given("COGNITO_TEMP_PASSWORD"))))
}

/// What Cognito would miss in `password`.
fn lacking(password: &str) -> Vec<String> {
    let holds = |kind: fn(char) -> bool| password.chars().any(kind);
    let wanted = [
        (password.chars().count() >= LEAST, format!("{LEAST} characters")),
        (holds(|it| it.is_ascii_lowercase()), "a small letter".into()),
        (holds(|it| it.is_ascii_uppercase()), "a capital".into()),
        (holds(|it| it.is_ascii_digit()), "a digit".into()),
        (holds(|it| !it.is_ascii_alphanumeric() && !it.is_whitespace()), "a symbol".into()),
    ];
    wanted.into_iter().filter(|(is_there, _)| !is_there).map(|(_, what)| what).collect()
}

/// Its lines that are ours. A `$` in a password means itself: nothing is put in its place.
fn env_file(path: &Path) -> Result<BTreeMap<String, Secret>, BadEnvFile> {
    let bad = |why: String| BadEnvFile { path: path.display().to_string(), why };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(why) => return Err(bad(why.to_string())),
    };
    let mut found = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let Some((name, value)) = line.strip_prefix("export ").unwrap_or(line).split_once('=') else { continue };
        let name = name.trim();
        if NAMES.contains(&name) {
            // Without the line itself, which may hold a secret.
            let value =
                env_value(value.trim()).ok_or_else(|| bad(format!("line {} does not end its quotes", number + 1)))?;
            found.insert(name.to_owned(), Secret::new(value));
        }
    }
    Ok(found)
}

/// What stands in quotes; else all of it, up to a comment.
fn env_value(text: &str) -> Option<&str> {
    match text.chars().next() {
        Some(quote @ ('\'' | '"')) => text[1..].split_once(quote).map(|(value, _)| value),
        _ => Some(text.split(" #").next().unwrap_or(text).trim_end()),
    }
}

fn password_of_nobody() -> Secret {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).expect("the system gives random bytes");
    let pick = |(at, byte): (usize, &u8)| {
        let letters = LETTERS[if at < LETTERS.len() { at } else { usize::from(byte >> 6) % 2 }];
        char::from(letters[usize::from(*byte) % letters.len()])
    };
    Secret::new(bytes.iter().enumerate().map(pick).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(file: &str, variables: &[(&str, &str)], before: Option<TestUser>) -> Result<(String, String), String> {
        let directory = tempfile::tempdir().unwrap();
        if !file.is_empty() {
            std::fs::write(directory.path().join(".env"), file).unwrap();
        }
        let environment = Environment::of(variables.iter().copied());
        let user = TestUser::find(directory.path(), &environment, before);
        user.map(|user| (user.name, user.password.expose().to_owned())).map_err(|error| error.to_string())
    }

    #[test]
    fn the_nearer_word_counts() {
        let file = "COGNITO_USERNAME=alice\nCOGNITO_PASSWORD='hunter2 #'\n";
        assert_eq!(find(file, &[], None), Ok(("alice".into(), "hunter2 #".into())));
        let over = [("COGNITO_PASSWORD", "hunter3")];
        let before = TestUser { name: "bob".into(), password: Secret::new("hunter4") };
        assert_eq!(find(file, &over, Some(before.clone())), Ok(("alice".into(), "hunter3".into())));
        assert_eq!(find("", &[], Some(before)), Ok(("bob".into(), "hunter4".into())));
        assert_eq!(find("COGNITO_TEMP_PASSWORD=t\n", &[], None).unwrap().1, "t");
        let dollars = "export COGNITO_PASSWORD=Pa$word-$$1 # of alice\nANY THING\nOTHER='\n";
        assert_eq!(find(dollars, &[], None).unwrap().1, "Pa$word-$$1");
        assert_eq!(find("COGNITO_PASSWORD=\"a #$b\"\n", &[], None).unwrap().1, "a #$b");
        let bad = find("COGNITO_PASSWORD='hunter5\n", &[], None).unwrap_err();
        assert!(bad.contains("line 1") && !bad.contains("hunter5"), "{bad}");
    }

    #[test]
    fn what_cognito_would_refuse_is_said_where_it_was_given() {
        let directory = tempfile::tempdir().unwrap();
        let wrong = |variables: &[(&str, &str)]| {
            TestUser::wrong(directory.path(), &Environment::of(variables.iter().copied())).unwrap_or_default()
        };
        let short = wrong(&[("COGNITO_PASSWORD", "Hunter2 of")]);
        assert!(short.contains("in `COGNITO_PASSWORD` is") && short.contains("of 12 characters, a symbol;"), "{short}");
        assert!(!short.contains("Hunter2"));
        assert_eq!((wrong(&[]), wrong(&[("COGNITO_PASSWORD", "Hunter2-of-alice")])), Default::default());
        std::fs::write(directory.path().join(".env"), "COGNITO_TEMP_PASSWORD=HUNTER-OF-ALICE\n").unwrap();
        let temporary = wrong(&[]);
        assert!(temporary.contains("`COGNITO_TEMP_PASSWORD` of `.env` is"), "{temporary}");
        assert!(temporary.contains("of a small letter, a digit;"), "{temporary}");
        assert!(lacking(password_of_nobody().expose()).is_empty());
    }

    #[test]
    fn nobody_else_has_the_password() {
        let (name, one) = find("", &[], None).unwrap();
        let other = find("", &[], None).unwrap().1;
        assert!(name == NAME && one != other && one.len() == LENGTH);
        let holds = |letters: &[u8]| one.bytes().any(|byte| letters.contains(&byte));
        assert!(LETTERS.iter().all(|letters| holds(letters)), "a policy would refuse it");
    }
}
