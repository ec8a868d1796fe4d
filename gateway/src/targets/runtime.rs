//! What AgentCore Runtime answers in the place of the server that it hosts, in words for the operator and for clients. How it
//! is told from what the server itself answers is in `http/runtime.rs`.
//!
//! Source: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-mcp-protocol-contract.html>,
//! <https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntime.html>

use super::fault::Blame;

/// AgentCore Runtime's own answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", said(.message))]
pub struct RuntimeFault {
    pub problem: Problem,
    /// Whether Runtime itself says so, by AWS's header or by its whole documented sentence: what a bare HTTP status means is a
    /// guess, as the hosted server may have answered it.
    pub named: bool,
    /// AWS's words: one line, shortened if long, and empty where there are none.
    pub message: String,
}

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error(
        "is denied to the gateway by AgentCore Runtime (AccessDenied): allow the gateway's identity \
         `bedrock-agentcore:InvokeAgentRuntime` on it, and check whether it wants a token instead of a signature"
    )]
    AccessDenied,
    #[error("takes no more calls for now (AgentCore Runtime: Throttling)")]
    Throttled,
    #[error("is beyond a quota of its AWS account (AgentCore Runtime: ServiceQuotaExceeded); have the quota raised")]
    QuotaExceeded,
    #[error(
        "is not there (AgentCore Runtime: ResourceNotFound): check `http.runtime_arn`, its region and `http.qualifier`"
    )]
    NotFound,
    #[error("is in conflict with another operation (AgentCore Runtime: Conflict)")]
    Conflict,
    #[error("is busy with another request of the same session (AgentCore Runtime: RetryableConflict)")]
    SessionBusy,
    #[error("was sent something that AgentCore Runtime refuses (Validation)")]
    Invalid,
    #[error("failed inside AgentCore Runtime (RuntimeClientError): its CloudWatch logs say why")]
    ServerFailed,
    #[error("could not be asked, because AgentCore Runtime itself failed (InternalServer)")]
    Internal,
    #[error("did not answer AgentCore Runtime in time (HTTP 504)")]
    TimedOut,
}

impl RuntimeFault {
    /// Whether the request was surely not carried out and may be by a later one.
    pub fn is_for_now(&self) -> bool {
        self.named && matches!(self.problem, Problem::Throttled | Problem::SessionBusy)
    }

    /// Whether the request was surely not carried out, now or later. Of a bare status only where it means so from any server.
    pub fn is_before_the_work(&self) -> bool {
        let from_anyone = matches!(self.problem, Problem::AccessDenied | Problem::NotFound | Problem::Throttled);
        self.problem.is_before_the_work() && (self.named || from_anyone)
    }

    /// Whom it speaks against. A bare status may be the hosted server's, and for the question alone; but 429 is about all
    /// calls, whoever says it.
    pub fn blame(&self) -> Blame {
        match self.named || self.problem == Problem::Throttled {
            true => self.problem.blame(),
            false => self.problem.blame().min(Blame::PathOrQuestion),
        }
    }
}

impl Problem {
    /// Whether the request was surely not carried out, if it is Runtime that says so.
    pub fn is_before_the_work(self) -> bool {
        match self {
            Self::AccessDenied | Self::Throttled | Self::QuotaExceeded | Self::NotFound => true,
            Self::SessionBusy | Self::Invalid => true,
            Self::Conflict | Self::ServerFailed | Self::Internal | Self::TimedOut => false,
        }
    }

    /// Whom it speaks against, if it is Runtime that says so: what the server did with a question may be for that alone.
    fn blame(self) -> Blame {
        match self {
            Self::AccessDenied | Self::Throttled | Self::QuotaExceeded | Self::NotFound => Blame::Path,
            Self::ServerFailed | Self::Internal | Self::TimedOut => Blame::PathOrQuestion,
            Self::Conflict | Self::SessionBusy | Self::Invalid => Blame::Nobody,
        }
    }

    /// Whether a server that was asked in a way that it does not know may be behind it.
    pub fn may_be_of_the_era(self) -> bool {
        matches!(self, Self::ServerFailed | Self::Invalid | Self::Internal)
    }

    /// What it is called in answers to clients: a stable word.
    pub fn kind(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::Throttled => "throttled",
            Self::QuotaExceeded => "quota_exceeded",
            Self::NotFound => "not_found",
            Self::Conflict | Self::SessionBusy => "conflict",
            Self::Invalid => "invalid",
            Self::ServerFailed => "server_failed",
            Self::Internal => "runtime_failed",
            Self::TimedOut => "timeout",
        }
    }

    /// What a client may know.
    pub fn public(self) -> &'static str {
        match self {
            Self::AccessDenied => "does not let the gateway in",
            Self::Throttled => "takes no more calls for now",
            Self::QuotaExceeded => "is beyond a quota",
            Self::NotFound => "is not there",
            Self::Conflict => "is in conflict with another operation",
            Self::SessionBusy => "is busy with another request of the same session",
            Self::Invalid => "was sent something that its host refuses",
            Self::ServerFailed => "failed inside its host",
            Self::Internal => "could not be asked, because its host failed",
            Self::TimedOut => "did not answer its host in time",
        }
    }

    /// What who runs the gateway can do about it.
    pub fn operators_step(self) -> &'static str {
        match self {
            Self::AccessDenied => "check the target's `credential`, and what IAM or the Runtime's authorizer allows it",
            Self::NotFound => "check `http.runtime_arn`, its region and `http.qualifier`",
            Self::Throttled | Self::SessionBusy | Self::Conflict => "it takes no requests for a while: ask again later",
            Self::QuotaExceeded => "have the quota raised that its message names",
            Self::Invalid | Self::ServerFailed | Self::Internal | Self::TimedOut => {
                "see what the Runtime's logs in CloudWatch say"
            }
        }
    }

    /// What the caller can do about it.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::Throttled | Self::SessionBusy => "the call was not carried out; retry in a moment",
            Self::AccessDenied => "the operator must check the credential of this target",
            Self::QuotaExceeded => "the operator must have the quota raised",
            Self::NotFound | Self::Conflict | Self::Invalid => "the operator must check this target",
            Self::ServerFailed | Self::Internal | Self::TimedOut => {
                "the call may or may not have been carried out: check before you repeat it; if it stays, the operator must \
                 look into the logs of this target"
            }
        }
    }
}

fn said(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}
