//! Why AWS has no answer, in words that a model or an operator can act on: AWS's own code and message, and what to do.

use std::{error::Error, fmt, time::Duration};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudwatchlogs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::start_query::StartQueryError,
    types::QueryCompileError,
};

use super::{NotReady, chain};
use crate::cloudwatch_insights::call::Interrupted;

/// Longest piece of a query that a message quotes, in characters.
const QUOTE: usize = 60;

/// Why AWS has no answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::cloudwatch_insights) enum AwsError {
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error("AWS refused {operation} with `{code}`: {message}; {}", advice(operation, code))]
    Refused { operation: &'static str, code: String, message: String },
    #[error("AWS does not understand the query (`MalformedQueryException`): {message}{}; correct it and ask again", Place(.place))]
    Malformed { message: String, place: Option<String> },
    #[error("{operation} was not sent to AWS: {cause}; check the region, `AWS_ENDPOINT_URL` and the network")]
    NotSent { operation: &'static str, cause: String },
    #[error(
        "{operation} was sent to AWS and not answered: {cause}; it may have been carried out, so look at the network, and \
         ask again later"
    )]
    Unanswered { operation: &'static str, cause: String },
    #[error(
        "{operation} was answered with HTTP {status}, but not as AWS does; check `AWS_ENDPOINT_URL`, and what stands \
         between the server and AWS, such as a proxy"
    )]
    NotAws { operation: &'static str, status: u16 },
    #[error("{operation} was not sent to AWS, because there are no credentials for it: {cause}")]
    NoCredentials { operation: &'static str, cause: String },
    #[error("AWS started the query without an id, so its rows cannot be fetched; try again")]
    NoId,
    #[error("the query `{id}` ended as `{how:?}` and has no rows; {}", how.advice())]
    Ended { id: String, how: BadEnd },
    #[error(
        "the query was not complete after {allowed:?} and {}; narrow the time range or the log groups, or raise \
         `QUERY_TIMEOUT` in the server's environment",
        if *.stopped { "is stopped" } else { "could not be stopped, so it goes on for up to an hour" }
    )]
    TooLong { allowed: Duration, stopped: bool },
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// How a query ends without rows. Source: `QueryStatus` of GetQueryResults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cloudwatch_insights) enum BadEnd {
    Failed,
    Timeout,
    Cancelled,
}

/// A request that came to nothing.
#[derive(Debug)]
pub(super) enum Refusal<E> {
    /// By AWS or on the way to it.
    Given { operation: &'static str, error: Box<SdkError<E, HttpResponse>> },
    /// It was not made once more, because the call was cancelled.
    Withdrawn,
}

/// How far a request without an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Journey {
    /// There was nothing to sign it with.
    NoCredentials,
    /// AWS has not seen it.
    NotSent,
    /// AWS may have carried it out.
    Sent,
    /// Something answered.
    Answered,
}

struct Place<'a>(&'a Option<String>);

impl AwsError {
    pub(super) fn ended(id: &str, how: BadEnd) -> Self {
        Self::Ended { id: id.to_owned(), how }
    }
}

impl BadEnd {
    fn advice(self) -> &'static str {
        match self {
            Self::Failed => "check the query, or narrow its time range",
            Self::Timeout => "it ran for the hour that CloudWatch allows: narrow its time range",
            Self::Cancelled => "somebody else stopped it: ask again",
        }
    }
}

impl<E: Error + ProvideErrorMetadata + 'static> From<Refusal<E>> for AwsError {
    fn from(refusal: Refusal<E>) -> Self {
        let Refusal::Given { operation, error } = refusal else { return Interrupted::Cancelled.into() };
        let cause = || chain(error.as_ref());
        match Journey::of(&error) {
            Journey::NoCredentials => Self::NoCredentials { operation, cause: cause() },
            Journey::NotSent => Self::NotSent { operation, cause: cause() },
            Journey::Sent => Self::Unanswered { operation, cause: cause() },
            Journey::Answered => {
                let status = error.raw_response().map_or(0, |response| response.status().as_u16());
                match error.code() {
                    Some(code) => Self::Refused { operation, code: code.to_owned(), message: reason(error.message()) },
                    None => Self::NotAws { operation, status },
                }
            }
        }
    }
}

impl Journey {
    pub(super) fn of<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> Self {
        match error {
            SdkError::ServiceError(_) | SdkError::ResponseError(_) => Self::Answered,
            SdkError::TimeoutError(_) => Self::Sent,
            _ if causes(error).any(<dyn Error>::is::<CredentialsError>) => Self::NoCredentials,
            SdkError::ConstructionFailure(_) => Self::NotSent,
            SdkError::DispatchFailure(failure) if failure.is_user() => Self::NotSent,
            // Without a connection there was nowhere to send it.
            _ if causes(error).any(is_connect) => Self::NotSent,
            _ => Self::Sent,
        }
    }
}

impl<E> Refusal<E> {
    pub(super) fn given(operation: &'static str, error: SdkError<E, HttpResponse>) -> Self {
        Self::Given { operation, error: Box::new(error) }
    }
}

impl Refusal<StartQueryError> {
    /// The refusal of the query with this text.
    pub(super) fn of_query(self, query: &str) -> AwsError {
        if let Self::Given { error, .. } = &self
            && let SdkError::ServiceError(error) = error.as_ref()
            && let StartQueryError::MalformedQueryException(malformed) = error.err()
        {
            let compile = malformed.query_compile_error();
            let said = malformed.message().or_else(|| compile.and_then(QueryCompileError::message));
            return AwsError::Malformed { message: reason(said), place: compile.and_then(|at| place(at, query)) };
        }
        self.into()
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(place) => write!(f, ", at {place}"),
            None => Ok(()),
        }
    }
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}

fn is_connect(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(hyper_util::client::legacy::Error::is_connect)
}

fn reason(message: Option<&str>) -> String {
    message.unwrap_or("no reason given").trim_end_matches('.').to_owned()
}

/// Where the compiler of AWS stopped: line, column and the words that stand there.
fn place(error: &QueryCompileError, query: &str) -> Option<String> {
    let location = error.location()?;
    let start = usize::try_from(location.start_char_offset()?).ok()?;
    let length = location.end_char_offset().and_then(|end| usize::try_from(end).ok()?.checked_sub(start));
    let before: Vec<char> = query.chars().take(start).collect();
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
    let quote: String = query.chars().skip(start).take(length.unwrap_or(QUOTE).clamp(1, QUOTE)).collect();
    let quote = if quote.trim().is_empty() { "the end".to_owned() } else { format!("`{}`", quote.trim()) };
    Some(format!("line {line}, column {column}: {quote}"))
}

/// What to do about an error code.
///
/// Source: "Errors" of the operations and "Common Errors" in the API reference of CloudWatch Logs.
fn advice(operation: &str, code: &str) -> String {
    match code {
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => format!(
            "allow the identity that the server runs as `logs:{operation}` on the log groups of `ALLOWED_LOG_GROUPS`"
        ),
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => {
            "renew the server's AWS credentials, and check its clock".to_owned()
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "SignatureDoesNotMatch" => "check the server's AWS credentials and its clock".to_owned(),
        "ResourceNotFoundException" if operation == "GetQueryResults" => "the query is gone: ask again".to_owned(),
        "ResourceNotFoundException" => {
            "check the name and the server's region; the tool `list_log_groups` tells which groups there are".to_owned()
        }
        "InvalidParameterException" | "ValidationException" => "correct what it names, and ask again".to_owned(),
        "LimitExceededException" => {
            "too many are under way in this account and region: ask again when some are done".to_owned()
        }
        "Throttling" | "ThrottlingException" | "ThrottledException" | "TooManyRequestsException" | "SlowDown" => {
            "the account is asked too often: ask again later".to_owned()
        }
        "ServiceUnavailableException" | "ServiceUnavailable" | "InternalFailure" => {
            "AWS has a fault of its own: ask again later".to_owned()
        }
        "OptInRequired" | "SubscriptionRequiredException" => {
            "the account has no access to CloudWatch Logs in the server's region".to_owned()
        }
        _ => format!("see {operation} in the API reference of CloudWatch Logs"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatchlogs::types::QueryCompileErrorLocation;

    use super::*;

    fn at(start: i32, end: Option<i32>, query: &str) -> Option<String> {
        let location = QueryCompileErrorLocation::builder().start_char_offset(start).set_end_char_offset(end).build();
        place(&QueryCompileError::builder().location(location).build(), query)
    }

    #[test]
    fn places() {
        let check = |start, end, query, expected: &str| assert_eq!(at(start, end, query).as_deref(), Some(expected));
        check(9, Some(14), "fields a\nwrong b", "line 2, column 1: `wrong`");
        check(0, None, "wrong", "line 1, column 1: `wrong`");
        check(7, Some(8), "fields ü x", "line 1, column 8: `ü`");
        check(6, Some(6), "fields", "line 1, column 7: the end");
        check(99, Some(3), "fields", "line 1, column 7: the end");
        assert_eq!(at(-1, None, "fields"), None);
    }
}
