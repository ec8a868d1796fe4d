//! What a client is to know of the gateway: where it is and how to be let in, as far as this client can say it. No secret is
//! ever a part of it.

use std::{fmt, str::FromStr, time::Duration};

use causeway_oidc::wire_log::TOKEN_STARTS;
use serde_json::{Map, Value, json};
use url::Url;

use super::profile::Facts;
use crate::address::Address;

/// Headers of requests that carry a token.
const AUTHORIZATION: &str = "Authorization";
/// Where VS Code keeps a token that it asked for.
const INPUT: &str = "token";

/// How a client is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It logs in by itself, in a browser (OAuth).
    Login,
    /// Nothing is asked for.
    None,
    /// With the token in this variable of its environment.
    TokenEnv(VariableName),
    /// With a token that it asks its user for.
    TokenPrompt,
    /// With tokens that the bridge fetches for itself.
    ClientCredentials,
    /// With signatures that the bridge makes.
    Sigv4,
}

/// The name of a variable, which no token looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableName(String);

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wish {
    pub address: Address,
    pub auth: Auth,
    /// Over the bridge even where the client could do without.
    pub stdio: bool,
    /// The program that is the bridge.
    pub program: String,
    /// More arguments of the bridge.
    pub bridge: Vec<String>,
    /// How long the client waits for an answer, where it can be told.
    pub timeout: Option<Duration>,
}

/// An entry, before it is put into a client's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) way: Way,
    pub(super) timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Http {
        url: Url,
        /// The value of the header, with a reference in it.
        authorization: Option<String>,
        /// What the client asks its user for.
        input: Option<Value>,
    },
    Stdio {
        command: String,
        args: Vec<String>,
        /// Variables that the bridge needs, each with a reference to the variable of the same name.
        env: Vec<(String, String)>,
    },
}

/// Why there is no such entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Wrong {
    #[error("{0} cannot ask for a token and keep it: use `--auth token-env`")]
    NoPrompt(&'static str),
    #[error("the bridge has no user to ask: use `--auth token-env` with `--stdio`")]
    PromptOverBridge,
    #[error(
        "the bridge cannot log in with a browser: leave `--stdio` out, or choose `--auth token-env`, `client-credentials` or `sigv4`"
    )]
    LoginOverBridge,
    #[error("a client that logs in itself needs the URL: `{0}` leads only the bridge there")]
    NoUrl(String),
    #[error("{0} has no setting for a timeout: leave `--timeout` out")]
    NoTimeout(&'static str),
    #[error("`{0}` is no name of a variable: letters, digits and `_`, not starting with a digit")]
    NoVariable(String),
    #[error("what is given in place of a variable's name looks like a secret: put it into a variable, and name that")]
    Secret,
    #[error("an argument for the bridge looks like a secret: put it into a variable or a file, and name that")]
    SecretArgument,
    #[error("the URL holds a user, a password or a token, which do not belong into a client's file: take it out")]
    SecretUrl,
}

impl FromStr for VariableName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if secret_like(text) {
            return Err(Wrong::Secret);
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match text.chars().all(fits) && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            true => Ok(Self(text.to_owned())),
            false => Err(Wrong::NoVariable(text.to_owned())),
        }
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Entry {
    /// The entry by which a client of `facts` reaches what `wish` names.
    ///
    /// # Errors
    /// [`Wrong`] where this client cannot, or where a secret would get into its file.
    pub fn of(facts: &Facts, wish: &Wish) -> Result<Self, Wrong> {
        check_secrets(wish)?;
        if wish.timeout.is_some() && !facts.timeout {
            return Err(Wrong::NoTimeout(facts.title));
        }
        let way = match (&wish.address, &wish.auth) {
            (Address::Runtime { .. } | Address::Gateway(_), Auth::Login | Auth::TokenPrompt) => {
                return Err(Wrong::NoUrl(wish.address.to_string()));
            }
            (Address::Runtime { .. } | Address::Gateway(_), _) => bridge(facts, wish),
            (_, Auth::Login) if wish.stdio => return Err(Wrong::LoginOverBridge),
            (_, Auth::TokenPrompt) if wish.stdio => return Err(Wrong::PromptOverBridge),
            (_, Auth::TokenPrompt) if !facts.prompts => return Err(Wrong::NoPrompt(facts.title)),
            (_, Auth::ClientCredentials | Auth::Sigv4) => bridge(facts, wish),
            _ if wish.stdio => bridge(facts, wish),
            (Address::Url(url), Auth::Login | Auth::None) => {
                Way::Http { url: url.clone(), authorization: None, input: None }
            }
            (Address::Url(url), Auth::TokenPrompt) => {
                let url = url.clone();
                let authorization = Some(format!("Bearer ${{input:{}}}", input_id(&url)));
                Way::Http { authorization, input: Some(input(&url)), url }
            }
            (Address::Url(url), Auth::TokenEnv(name)) => match facts.variable {
                Some(variable) => {
                    let authorization = Some(format!("Bearer {}", variable.to(&name.0)));
                    Way::Http { url: url.clone(), authorization, input: None }
                }
                None => bridge(facts, wish),
            },
        };
        Ok(Self { way, timeout: wish.timeout })
    }

    /// Whether the client starts the bridge for it.
    pub fn is_bridge(&self) -> bool {
        self.bridge_arguments().is_some()
    }

    /// The arguments of the bridge, if it goes by it.
    pub fn bridge_arguments(&self) -> Option<&[String]> {
        match &self.way {
            Way::Stdio { args, .. } => Some(args),
            Way::Http { .. } => None,
        }
    }

    /// Whether it leaves something to the client's environment.
    pub fn refers_to_variables(&self) -> bool {
        match &self.way {
            Way::Http { authorization, input, .. } => authorization.is_some() && input.is_none(),
            Way::Stdio { env, .. } => !env.is_empty(),
        }
    }

    /// The entry in the words of a client of `facts`.
    pub fn json(&self, facts: &Facts) -> Value {
        let mut entry = Map::new();
        let kind = match &self.way {
            Way::Http { .. } => facts.types.0,
            Way::Stdio { .. } => facts.types.1,
        };
        entry.extend(kind.map(|kind| ("type".to_owned(), json!(kind))));
        match &self.way {
            Way::Http { url, authorization, .. } => {
                entry.insert("url".into(), json!(url.as_str()));
                let headers = authorization.as_ref().map(|value| ("headers".into(), json!({AUTHORIZATION: value})));
                entry.extend(headers);
            }
            Way::Stdio { command, args, env } => {
                entry.insert("command".into(), json!(command));
                entry.insert("args".into(), json!(args));
                let env: Map<String, Value> = env.iter().map(|(name, to)| (name.clone(), json!(to))).collect();
                entry.extend((!env.is_empty()).then(|| ("env".into(), Value::Object(env))));
            }
        }
        let timeout = self.timeout.and_then(|timeout| u64::try_from(timeout.as_millis()).ok());
        entry.extend(timeout.map(|timeout| ("timeout".into(), json!(timeout))));
        entry.extend(facts.tools.then(|| ("tools".into(), json!(["*"]))));
        Value::Object(entry)
    }
}

/// The bridge, with the arguments that lead it to the gateway.
fn bridge(facts: &Facts, wish: &Wish) -> Way {
    let mut args: Vec<String> = vec!["stdio".into(), "--url".into(), address(&wish.address)];
    let auth: &[&str] = match &wish.auth {
        Auth::TokenEnv(name) => &["--auth", "bearer", "--token-env", &name.0],
        Auth::ClientCredentials => &["--auth", "client-credentials"],
        Auth::Sigv4 => &["--auth", "sigv4"],
        Auth::None | Auth::Login | Auth::TokenPrompt => &["--auth", "none"],
    };
    args.extend(auth.iter().map(|arg| (*arg).to_owned()));
    args.extend_from_slice(&wish.bridge);
    // Clients give a child a part of their environment only.
    let needed = args.windows(2).filter(|pair| pair[0].starts_with("--") && pair[0].ends_with("-env"));
    let env = facts.variable.map(|variable| needed.map(|pair| (pair[1].clone(), variable.to(&pair[1]))).collect());
    Way::Stdio { command: wish.program.clone(), env: env.unwrap_or_default(), args }
}

/// As the bridge takes it. A query that held a secret was refused before.
pub(super) fn address(address: &Address) -> String {
    match address {
        Address::Url(url) => url.to_string(),
        Address::Runtime { .. } | Address::Gateway(_) => address.to_string(),
    }
}

/// What VS Code asks for once and keeps. Its id goes by the URL, for two gateways have two tokens.
fn input(url: &Url) -> Value {
    let description = format!("Token for {url}");
    json!({"type": "promptString", "id": input_id(url), "description": description, "password": true})
}

fn input_id(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!("-{port}")).unwrap_or_default();
    format!("{host}{port}{}-{INPUT}", url.path().replace('/', "-"))
}

fn check_secrets(wish: &Wish) -> Result<(), Wrong> {
    if let Address::Url(url) = &wish.address {
        let query = |(key, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            let key = key.to_ascii_lowercase();
            ["token", "key", "secret", "password", "signature"].iter().any(|word| key.contains(word))
                || secret_like(&value)
        };
        if !url.username().is_empty() || url.password().is_some() || url.query_pairs().any(query) {
            return Err(Wrong::SecretUrl);
        }
    }
    match wish.bridge.iter().any(|arg| secret_like(arg.split_once('=').map_or(arg, |(_, value)| value))) {
        true => Err(Wrong::SecretArgument),
        false => Ok(()),
    }
}

/// Whether a text looks like a token, a key or a password: it starts as such do, or is long and as if thrown with dice.
pub fn secret_like(text: &str) -> bool {
    const STARTS: [&str; 4] = ["eyJ", "Bearer ", "Basic ", "AKIA"];
    let word = !text.contains(['/', ' ', ':', '$']) && !text.starts_with('-');
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let letters = text.chars().filter(char::is_ascii_alphabetic).count();
    let diced = word && text.len() >= 32 && digits >= 4 && letters >= 4 && digits + letters >= text.len() - 4;
    let starts = || STARTS.iter().chain(TOKEN_STARTS);
    (starts().any(|start| text.starts_with(start)) && text.len() >= 16) || diced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::Client;

    fn wish(auth: Auth) -> Wish {
        let address = "https://gateway.example.com/mcp".parse().unwrap();
        Wish { address, auth, stdio: false, program: "causeway".into(), bridge: Vec::new(), timeout: None }
    }

    fn token() -> Auth {
        Auth::TokenEnv("CAUSEWAY_TOKEN".parse().unwrap())
    }

    fn entry(client: Client, wish: &Wish) -> Result<String, Wrong> {
        Entry::of(client.facts(), wish).map(|entry| entry.json(client.facts()).to_string())
    }

    #[test]
    fn a_login_needs_the_url_alone() {
        let all: Vec<String> = clap::ValueEnum::value_variants()
            .iter()
            .map(|client: &Client| format!("{}: {}", client.name(), entry(*client, &wish(Auth::Login)).unwrap()))
            .collect();
        insta::assert_snapshot!(all.join("\n"), @r#"
        vscode: {"type":"http","url":"https://gateway.example.com/mcp"}
        amazon-q: {"type":"http","url":"https://gateway.example.com/mcp"}
        kiro: {"url":"https://gateway.example.com/mcp"}
        claude-code: {"type":"http","url":"https://gateway.example.com/mcp"}
        cursor: {"url":"https://gateway.example.com/mcp"}
        copilot-cli: {"type":"http","url":"https://gateway.example.com/mcp","tools":["*"]}
        json: {"type":"http","url":"https://gateway.example.com/mcp"}
        "#);
    }

    #[test]
    fn a_token_is_a_reference() {
        let all: Vec<String> = clap::ValueEnum::value_variants()
            .iter()
            .map(|client: &Client| format!("{}: {}", client.name(), entry(*client, &wish(token())).unwrap()))
            .collect();
        insta::assert_snapshot!(all.join("\n"), @r#"
        vscode: {"type":"http","url":"https://gateway.example.com/mcp","headers":{"Authorization":"Bearer ${env:CAUSEWAY_TOKEN}"}}
        amazon-q: {"command":"causeway","args":["stdio","--url","https://gateway.example.com/mcp","--auth","bearer","--token-env","CAUSEWAY_TOKEN"]}
        kiro: {"url":"https://gateway.example.com/mcp","headers":{"Authorization":"Bearer ${CAUSEWAY_TOKEN}"}}
        claude-code: {"type":"http","url":"https://gateway.example.com/mcp","headers":{"Authorization":"Bearer ${CAUSEWAY_TOKEN}"}}
        cursor: {"url":"https://gateway.example.com/mcp","headers":{"Authorization":"Bearer ${env:CAUSEWAY_TOKEN}"}}
        copilot-cli: {"type":"http","url":"https://gateway.example.com/mcp","headers":{"Authorization":"Bearer ${CAUSEWAY_TOKEN}"},"tools":["*"]}
        json: {"type":"stdio","command":"causeway","args":["stdio","--url","https://gateway.example.com/mcp","--auth","bearer","--token-env","CAUSEWAY_TOKEN"]}
        "#);
        insta::assert_snapshot!(entry(Client::VSCODE, &wish(Auth::TokenPrompt)).unwrap(), @r#"{"type":"http","url":"https://gateway.example.com/mcp","headers":{"Authorization":"Bearer ${input:gateway.example.com-mcp-token}"}}"#);
    }

    #[test]
    fn what_the_client_cannot_do_goes_over_the_bridge() {
        let mut signed = wish(Auth::Sigv4);
        signed.bridge = vec!["--region".into(), "us-east-1".into()];
        insta::assert_snapshot!(entry(Client::COPILOT_CLI, &signed).unwrap(), @r#"{"type":"local","command":"causeway","args":["stdio","--url","https://gateway.example.com/mcp","--auth","sigv4","--region","us-east-1"],"tools":["*"]}"#);
        let mut machine = wish(Auth::ClientCredentials);
        machine.bridge = ["--client-id", "abc", "--client-secret-env", "SECRET"].map(Into::into).into();
        insta::assert_snapshot!(entry(Client::CURSOR, &machine).unwrap(), @r#"{"command":"causeway","args":["stdio","--url","https://gateway.example.com/mcp","--auth","client-credentials","--client-id","abc","--client-secret-env","SECRET"],"env":{"SECRET":"${env:SECRET}"}}"#);
        let told = Wish { stdio: true, ..wish(token()) };
        insta::assert_snapshot!(entry(Client::CLAUDE_CODE, &told).unwrap(), @r#"{"type":"stdio","command":"causeway","args":["stdio","--url","https://gateway.example.com/mcp","--auth","bearer","--token-env","CAUSEWAY_TOKEN"],"env":{"CAUSEWAY_TOKEN":"${CAUSEWAY_TOKEN}"}}"#);
        let arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/tools-a1b2c3d4e5".parse().unwrap();
        insta::assert_snapshot!(entry(Client::KIRO, &Wish { address: arn, ..wish(Auth::Sigv4) }).unwrap(), @r#"{"command":"causeway","args":["stdio","--url","arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/tools-a1b2c3d4e5","--auth","sigv4"]}"#);
        let timed = Wish { timeout: Some(Duration::from_secs(120)), ..wish(Auth::None) };
        insta::assert_snapshot!(entry(Client::AMAZON_Q, &timed).unwrap(), @r#"{"type":"http","url":"https://gateway.example.com/mcp","timeout":120000}"#);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let refused = |client, wish: Wish| entry(client, &wish).unwrap_err();
        assert_eq!(refused(Client::KIRO, wish(Auth::TokenPrompt)), Wrong::NoPrompt("Kiro"));
        assert_eq!(refused(Client::KIRO, Wish { stdio: true, ..wish(Auth::Login) }), Wrong::LoginOverBridge);
        assert_eq!(refused(Client::VSCODE, Wish { stdio: true, ..wish(Auth::TokenPrompt) }), Wrong::PromptOverBridge);
        let timeout = Some(Duration::from_secs(1));
        assert_eq!(refused(Client::VSCODE, Wish { timeout, ..wish(Auth::None) }), Wrong::NoTimeout("VS Code"));
        let arn: Address = "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/tools-a1b2c3d4e5".parse().unwrap();
        let login = Wish { address: arn.clone(), ..wish(Auth::Login) };
        assert_eq!(refused(Client::KIRO, login), Wrong::NoUrl(arn.to_string()));
    }

    #[test]
    fn no_secret_gets_in() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
        assert_eq!(jwt.parse::<VariableName>(), Err(Wrong::Secret));
        assert_eq!("0123456789abcdef0123456789abcdef".parse::<VariableName>(), Err(Wrong::Secret));
        assert_eq!("a-b".parse::<VariableName>(), Err(Wrong::NoVariable("a-b".into())));
        assert_eq!("1A".parse::<VariableName>(), Err(Wrong::NoVariable("1A".into())));
        let refused = |address: &str, bridge: &[&str]| {
            let address = address.parse().unwrap();
            let bridge = bridge.iter().map(|arg| (*arg).to_owned()).collect();
            entry(Client::CURSOR, &Wish { address, bridge, ..wish(Auth::Sigv4) }).unwrap_err()
        };
        assert_eq!(refused("https://user@gateway.example.com/mcp", &[]), Wrong::SecretUrl);
        assert_eq!(refused("https://gateway.example.com/mcp?access_token=x", &[]), Wrong::SecretUrl);
        assert_eq!(refused("https://gateway.example.com/mcp", &[&format!("--token={jwt}")]), Wrong::SecretArgument);
        assert!(!secret_like("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_0123456789"));
        assert!(!secret_like("--client-secret-env") && !secret_like("MY_VERY_LONG_VARIABLE_NAME_FOR_A_TOKEN_1"));
    }
}
