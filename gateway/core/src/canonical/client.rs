//! What a client says about itself, and what that allows a target to ask of it. Asks nobody.

use std::{fmt, str::FromStr, sync::Arc};

use bytestring::ByteString;

use crate::{
    era::Era,
    wire::{Envelope, ObjectEdit},
};

/// What a client says about itself with each modern request, and once, in `initialize`, in the legacy era.
#[derive(Clone, Debug)]
pub struct Client {
    /// Protocol version between this client and the gateway.
    pub version: &'static str,
    /// `Implementation` object, as JSON text.
    pub info: Option<ByteString>,
    /// `ClientCapabilities` object, as JSON text.
    pub capabilities: ByteString,
    pub logs: Logs,
    /// Keeps the legacy sessions of one caller apart; absent where there is none.
    pub session: Option<ByteString>,
    /// Where it hears what a target says to it beside its calls; absent where it hears nothing.
    pub aside: Option<Aside>,
}

/// Takes what a target says to a client beside its calls, such as a log message that comes after the answer.
#[derive(Clone)]
pub struct Aside(Arc<dyn Fn(&Envelope) + Send + Sync>);

/// Which log messages of targets a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logs {
    /// None: a modern request without a level.
    Unwanted,
    /// Those that the target sends unasked: a legacy client that set no level.
    AsSent,
    AtLeast(Level),
}

/// Severity of a log message, the least first (RFC 5424, section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// No level of MCP has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no log level: use debug, info, notice, warning, error, critical, alert or emergency")]
pub struct UnknownLevel(String);

impl Client {
    /// Whether a target may ask this client for `method`. What MCP does not define is a matter between target and client,
    /// as long as the client's era has a way to ask at all.
    pub fn may_be_asked(&self, method: &str, era: Era) -> bool {
        match asked_of(method) {
            Some(capability) => ObjectEdit::parse(&self.capabilities)
                .is_ok_and(|capabilities| capabilities.get(capability).is_some_and(|value| value != "null")),
            None => era == Era::Legacy,
        }
    }

    /// The capabilities as the gateway declares them to a target. Tasks that run in the client are not passed on, so no
    /// target is told of them.
    pub fn declared(&self) -> String {
        let Ok(mut capabilities) = ObjectEdit::parse(&self.capabilities) else { return "{}".into() };
        capabilities.remove("tasks");
        capabilities.finish()
    }
}

/// The capability that a client declares to be asked for `method`.
pub fn asked_of(method: &str) -> Option<&'static str> {
    match method {
        "elicitation/create" => Some("elicitation"),
        "sampling/createMessage" => Some("sampling"),
        "roots/list" => Some("roots"),
        _ => None,
    }
}

impl Aside {
    /// One that gives each message to `hear`, which must not wait.
    pub fn new(hear: impl Fn(&Envelope) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    /// Says it to the client.
    pub fn say(&self, message: &Envelope) {
        (self.0)(message);
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aside")
    }
}

impl Logs {
    /// Whether a client that wants these gets a message of `level`; one of an unknown level counts as the most severe.
    pub fn include(self, level: Option<Level>) -> bool {
        match self {
            Self::Unwanted => false,
            Self::AsSent => true,
            Self::AtLeast(least) => level.is_none_or(|level| level >= least),
        }
    }

    /// Whether a client that wants these gets this notification, whatever it is about.
    pub fn allow(self, message: &Envelope) -> bool {
        if message.method() != "notifications/message" {
            return true;
        }
        let level = message.params().and_then(|params| {
            let params = ObjectEdit::parse(params).ok()?;
            serde_json::from_str::<String>(params.get("level")?).ok()?.parse().ok()
        });
        self.include(level)
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        LEVELS.into_iter().find(|(_, known)| *known == name).map(|(level, _)| level).ok_or(UnknownLevel(name.into()))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = LEVELS.into_iter().find(|(level, _)| level == self).map(|(_, name)| name);
        f.write_str(name.unwrap_or_default())
    }
}

const LEVELS: [(Level, &str); 8] = [
    (Level::Debug, "debug"),
    (Level::Info, "info"),
    (Level::Notice, "notice"),
    (Level::Warning, "warning"),
    (Level::Error, "error"),
    (Level::Critical, "critical"),
    (Level::Alert, "alert"),
    (Level::Emergency, "emergency"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn client(capabilities: &str) -> Client {
        Client {
            version: "2025-11-25",
            info: None,
            capabilities: capabilities.into(),
            logs: Logs::AsSent,
            session: None,
            aside: None,
        }
    }

    #[test]
    fn a_client_is_asked_for_what_it_declared() {
        let check = |capabilities: &str, method: &str, era, may| {
            assert_eq!(client(capabilities).may_be_asked(method, era), may, "{capabilities} {method}");
        };
        check(r#"{"elicitation":{}}"#, "elicitation/create", Era::Modern, true);
        check(r#"{"elicitation":{}}"#, "sampling/createMessage", Era::Modern, false);
        check(r#"{"roots":{"listChanged":true}}"#, "roots/list", Era::Legacy, true);
        check(r#"{"roots":null}"#, "roots/list", Era::Legacy, false);
        check("{}", "vendor/ask", Era::Legacy, true);
        check("{}", "vendor/ask", Era::Modern, false);
        check("7", "roots/list", Era::Legacy, false);
    }

    #[test]
    fn all_but_its_tasks_is_declared_to_targets() {
        let declared = client(r#"{"sampling":{ },"tasks":{"list":{}},"experimental":{"x":1}}"#).declared();
        assert_eq!(declared, r#"{"sampling":{ },"experimental":{"x":1}}"#);
    }

    #[test]
    fn levels_have_names_and_an_order() {
        assert_eq!("warning".parse(), Ok(Level::Warning));
        assert_eq!("Warning".parse::<Level>(), Err(UnknownLevel("Warning".into())));
        assert!(LEVELS.is_sorted());
        assert!(LEVELS.into_iter().all(|(level, name)| level.to_string() == name));
        let wants = Logs::AtLeast(Level::Warning);
        assert!(wants.include(Some(Level::Error)) && wants.include(None) && !wants.include(Some(Level::Info)));
    }
}
