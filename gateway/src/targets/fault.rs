//! What can go wrong with a target, in words for the operator, and for clients without what is not theirs to know.

use std::{fmt, time::Duration};

use causeway_core::name::TargetName;
use serde::Deserialize;

use super::{Problem, RuntimeFault};
use crate::credentials::CredentialError;

/// A target did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("target `{target}` {fault}")]
pub struct TargetError {
    pub target: TargetName,
    pub fault: Fault,
}

/// What a target, or the way to it, did.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// No connection. Nothing was sent.
    #[error("could not be reached: {0}")]
    Unreachable(String),
    /// There is no credential to show it. Nothing was sent.
    #[error("was not asked, because its credential could not be had: {0}")]
    Credential(#[from] CredentialError),
    /// HTTP 401 or 403 to the gateway itself, also with a fresh credential.
    #[error("does not let the gateway in (HTTP {0}); check the target's `credential`")]
    Unauthorized(u16),
    /// AgentCore Runtime answered in the place of the server that it hosts.
    #[error(transparent)]
    Runtime(#[from] RuntimeFault),
    /// Nothing came back in time.
    #[error("did not answer within {0:?}")]
    Silent(Duration),
    /// An answer began and did not end.
    #[error("broke off its answer: {0}")]
    BrokenOff(String),
    /// An HTTP status that is no answer.
    #[error("answered HTTP {0}")]
    Status(u16),
    /// HTTP 429 or 503 with `Retry-After`: it did not take the request.
    #[error("takes no requests for a while (HTTP {0} with `Retry-After`)")]
    Unavailable(u16),
    /// An answer that is no MCP.
    #[error("answered something that is no MCP: {0}")]
    Garbage(String),
    /// The request itself cannot be brought into the form that this target wants. Nothing was sent.
    #[error("was not asked, because the request cannot be sent to it: {0}")]
    Unsendable(String),
    /// An answer whose head is over `limits.header_bytes`, or has more than 100 lines.
    #[error("sent a head of more than {0} bytes, or of more than 100 lines (`limits.header_bytes`)")]
    LargeHead(usize),
    /// An answer over `limits.response_bytes`.
    #[error("sent more than {0} bytes in one message (`limits.response_bytes`)")]
    TooLarge(usize),
    /// It has no place for the call. Nothing was sent.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It did not work last, and it is not yet time to see whether it does again. Nothing was sent.
    #[error("{0}")]
    Down(Box<Outage>),
    /// A JSON-RPC error where the gateway itself asked.
    #[error("refused: {0}")]
    Refused(String),
    /// A list without an end.
    #[error("sent a list without an end: {0}")]
    EndlessList(String),
    /// A child process that does not run.
    #[error("does not run: {0}")]
    NotRunning(String),
    /// A retry brings state that does not lead to a call that waits for it.
    #[error("was not asked: the retry's `requestState` is unknown or has expired")]
    UnknownState,
    /// A legacy target without a stream for what it has to say beside its answers.
    #[error("sends nothing outside of its answers")]
    NoStream,
    /// It speaks no version that the gateway speaks.
    #[error("speaks MCP {0}, which the gateway does not")]
    UnknownVersion(String),
    /// What went wrong while the gateway got ready to send the request: the request itself was not sent.
    #[error("{0}")]
    Unsent(Box<Fault>),
}

/// Why there is no place for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// So many run, and none waits.
    #[error("has {0} calls running, the most it gets (`limits.target_calls`)")]
    Running(usize),
    /// So many wait.
    #[error("has {0} calls waiting for their turn, the most it gets (`limits.target_queue`)")]
    Queue(usize),
    /// So many of the caller's wait, and the rest is for others.
    #[error(
        "has {0} calls of this caller waiting for their turn, and the other places are for others (`limits.target_queue`)"
    )]
    Share(usize),
    /// Its turn did not come in time.
    #[error("had no place for the call within {0:?} (`limits.queue_seconds`)")]
    Waited(Duration),
}

/// What is known of a target that does not work, for those that are not sent to it meanwhile.
#[derive(Clone, Debug)]
pub struct Outage {
    /// So long ago it went down.
    pub since: Duration,
    /// Until it is asked again.
    pub next: Duration,
    /// What it did last.
    pub cause: Fault,
}

/// Whom a fault speaks against, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blame {
    /// Something worked as it should: it is about what was asked, or about the gateway.
    Nobody,
    /// The path, or just what was asked.
    PathOrQuestion,
    /// The path: no MCP server answers there for now, whatever is asked.
    Path,
}

/// Where the gateway failed to get ready.
const NOT_CARRIED_OUT: &str =
    "the call was not carried out; retry in a moment; if it stays, the operator must check this target";

impl Fault {
    /// Whether the target is there and works, but for what it was asked: it may answer something else well.
    pub fn is_of_the_question(&self) -> bool {
        match self {
            Self::Unsent(fault) => fault.is_of_the_question(),
            _ => matches!(self, Self::Refused(_) | Self::Garbage(_) | Self::EndlessList(_) | Self::TooLarge(_)),
        }
    }

    /// Whether the request was certainly not carried out, so that it may be sent to another server that does the same. A 404
    /// and a 429 are given before the work; a 503 also by proxies whose server broke off in the middle, so it must say more than that.
    pub fn surely_not_carried_out(&self) -> bool {
        match self {
            Self::Runtime(fault) => fault.is_before_the_work(),
            Self::Unsent(_) | Self::Unreachable(_) | Self::Credential(_) | Self::Unauthorized(_) => true,
            Self::Unavailable(_) | Self::Busy(_) | Self::NotRunning(_) | Self::UnknownVersion(_) => true,
            Self::Unsendable(_) | Self::Down(_) => true,
            Self::Status(status) => matches!(status, 404 | 429),
            Self::Silent(_) | Self::BrokenOff(_) | Self::Garbage(_) | Self::TooLarge(_) | Self::Refused(_) => false,
            Self::EndlessList(_) | Self::UnknownState | Self::NoStream | Self::LargeHead(_) => false,
        }
    }

    /// Whom it speaks against. What a server, or a proxy before it, says of one question may be so for that alone: it crashes on
    /// it, forbids it or hangs.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Runtime(fault) => fault.blame(),
            // What a caller declares is in the handshake made for it.
            Self::Unsent(fault) => fault.blame().max(Blame::PathOrQuestion),
            Self::Unreachable(_) | Self::Credential(_) | Self::Unavailable(_) => Blame::Path,
            Self::NotRunning(_) | Self::UnknownVersion(_) => Blame::Path,
            Self::Unauthorized(401) | Self::Status(429) => Blame::Path,
            Self::Unauthorized(_) | Self::Status(404 | 500..) => Blame::PathOrQuestion,
            Self::Silent(_) | Self::BrokenOff(_) | Self::Garbage(_) | Self::LargeHead(_) => Blame::PathOrQuestion,
            Self::Status(_) | Self::TooLarge(_) | Self::Busy(_) | Self::Down(_) | Self::Refused(_) => Blame::Nobody,
            Self::EndlessList(_) | Self::UnknownState | Self::NoStream | Self::Unsendable(_) => Blame::Nobody,
        }
    }

    /// The same where nobody else serves what it does: who says "not now" is there, and who calls is told so soon enough.
    pub fn blame_alone(&self) -> Blame {
        match self {
            Self::Unsent(fault) => fault.blame_alone(),
            Self::Unavailable(_) | Self::Status(429) => Blame::Nobody,
            Self::Runtime(fault) if matches!(fault.problem, Problem::Throttled | Problem::QuotaExceeded) => {
                Blame::Nobody
            }
            _ => self.blame(),
        }
    }

    /// Whether another server that does the same may do better with the same request.
    pub fn may_be_better_elsewhere(&self) -> bool {
        self.blame() != Blame::Nobody || matches!(self, Self::Busy(_) | Self::Down(_) | Self::Status(_))
    }

    /// The same as one that kept a request from being sent.
    pub(crate) fn unsent(self) -> Self {
        match self {
            Self::Unsent(_) => self,
            fault => Self::Unsent(Box::new(fault)),
        }
    }

    /// What it is called in answers to clients: a stable word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Credential(_) => "credential",
            Self::Unauthorized(_) => "unauthorized",
            Self::Runtime(fault) => fault.problem.kind(),
            Self::Silent(_) => "timeout",
            Self::BrokenOff(_) => "broken_off",
            Self::Status(_) => "status",
            Self::Unavailable(_) => "unavailable",
            Self::Garbage(_) => "garbage",
            Self::Unsendable(_) => "unsendable",
            Self::TooLarge(_) | Self::LargeHead(_) => "too_large",
            Self::Busy(_) => "busy",
            Self::Down(_) => "down",
            Self::Refused(_) => "refused",
            Self::EndlessList(_) => "endless_list",
            Self::NotRunning(_) => "not_running",
            Self::UnknownVersion(_) => "unknown_version",
            Self::UnknownState => "unknown_state",
            Self::NoStream => "no_stream",
            Self::Unsent(fault) => fault.kind(),
        }
    }

    /// What a client may know: no addresses, no texts of other parties.
    pub fn public(&self) -> String {
        match self {
            Self::Unreachable(_) => "could not be reached".into(),
            Self::Credential(_) => "was not asked, because the gateway has no credential for it".into(),
            Self::BrokenOff(_) => "broke off its answer".into(),
            Self::Garbage(_) => "answered something that is no MCP".into(),
            Self::Runtime(fault) => fault.problem.public().into(),
            Self::Unsendable(_) => "was not asked, because the request cannot be sent to it".into(),
            Self::Refused(_) => "refused".into(),
            Self::EndlessList(_) => "sent a list without an end".into(),
            Self::NotRunning(_) => "does not run".into(),
            Self::Unauthorized(status) => format!("does not let the gateway in (HTTP {status})"),
            Self::UnknownVersion(_) => "speaks no MCP version that the gateway speaks".into(),
            Self::Unsent(fault) => fault.public(),
            Self::Down(outage) => outage.public(),
            Self::Silent(_)
            | Self::Status(_)
            | Self::Unavailable(_)
            | Self::TooLarge(_)
            | Self::LargeHead(_)
            | Self::Busy(_)
            | Self::UnknownState
            | Self::NoStream => self.to_string(),
        }
    }

    /// When the same request may have a better chance, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Down(outage) => Some(outage.next),
            // The call that ends next makes room.
            Self::Busy(_) => Some(Duration::from_secs(1)),
            Self::Unsent(fault) => fault.retry_after(),
            _ => None,
        }
    }

    /// What who runs the gateway can do about it.
    pub fn operators_step(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "see that the server runs and that its address is right",
            Self::Credential(_) => "check the target's `credential`: the issuer, the client and its secret",
            Self::Unauthorized(_) => {
                "the server wants another credential: check `credential` of the target, and what the server allows"
            }
            Self::NotRunning(_) => {
                "check `stdio.command`, and `stdio.env_from` if it misses a variable; run it by hand and see what it writes"
            }
            Self::Silent(_) => {
                "see what the server does: it takes the request and does not answer in time. More time is in `limits`"
            }
            Self::BrokenOff(_) => {
                "see what the server's own log says: the server, or the connection to it, ended in the middle of an answer"
            }
            Self::Status(_) | Self::Garbage(_) => {
                "check that the address leads to an MCP server, path included (most have `/mcp`), and not to a page or a proxy \
                 before it"
            }
            Self::Busy(_) | Self::Unavailable(_) => "it takes no requests for a while: ask again later",
            Self::UnknownVersion(_) => "update the server: it speaks no version of MCP that the gateway speaks",
            Self::Runtime(fault) => fault.problem.operators_step(),
            Self::Unsent(fault) => fault.operators_step(),
            Self::Down(outage) => outage.cause.operators_step(),
            Self::Unsendable(_)
            | Self::TooLarge(_)
            | Self::LargeHead(_)
            | Self::Refused(_)
            | Self::EndlessList(_)
            | Self::UnknownState
            | Self::NoStream => "see what the server's own log says",
        }
    }

    /// What the caller can do about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::NotRunning(_) => {
                "retry in a moment; if it stays, the operator must see that the target runs"
            }
            Self::Runtime(fault) => fault.problem.next_step(),
            Self::Busy(_) | Self::Unavailable(_) => "retry in a moment",
            Self::Unsent(fault) => match &**fault {
                Self::Silent(_) | Self::BrokenOff(_) | Self::Status(500..) => NOT_CARRIED_OUT,
                Self::Runtime(fault) if !fault.problem.is_before_the_work() => NOT_CARRIED_OUT,
                fault => fault.next_step(),
            },
            Self::NoStream => "ask it again instead of waiting for news",
            Self::UnknownState => "send the call anew, without `requestState` and `inputResponses`",
            Self::Silent(_) | Self::BrokenOff(_) | Self::Status(500..) => {
                "the call may or may not have been carried out: check before you repeat it"
            }
            Self::Unsendable(_) => "send the call with a name and arguments that JSON and HTTP headers can carry",
            Self::Down(_) => "retry then; if it stays, the operator must see to this target",
            Self::LargeHead(_) => "the operator must check this target",
            Self::TooLarge(_) => "ask for less, for example with a limit or a filter",
            Self::Credential(_) | Self::Unauthorized(_) => "the operator must check the credential of this target",
            Self::Status(_) | Self::Garbage(_) | Self::Refused(_) | Self::EndlessList(_) | Self::UnknownVersion(_) => {
                "the operator must check this target"
            }
        }
    }
}

impl Outage {
    fn public(&self) -> String {
        self.because(&self.cause.public())
    }

    fn because(&self, cause: &str) -> String {
        let [since, next] = [self.since, self.next].map(whole_seconds);
        format!("is down since {since}s, and is asked again in {next}s: it {cause}")
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.because(&self.cause.to_string()))
    }
}

/// Whole seconds, none less than one.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}

/// `code: message` of a JSON-RPC error, for logs.
pub(crate) fn rpc_error(error: &str) -> String {
    #[derive(Deserialize)]
    struct RpcError {
        code: i64,
        message: String,
    }
    match serde_json::from_str::<RpcError>(error) {
        Ok(error) => format!("{} ({})", error.message, error.code),
        Err(_) => "an error without code and message".into(),
    }
}
