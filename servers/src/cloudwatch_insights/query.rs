//! One query from StartQuery to its rows. A query that is not wanted any more is stopped, because it costs money and one
//! of the account's few slots. Gives the rows as AWS does; shaping them is not done here.

use std::{fmt::Debug, time::Duration};

use aws_sdk_cloudwatchlogs::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_query_results::GetQueryResultsOutput,
    types::{QueryStatistics, QueryStatus, ResultField},
};
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::{
    aws::chain,
    found::{Found, Statistics},
    time_range::TimeRange,
};

/// Wait before the first look at the results. Doubled after each look...
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// ...up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// How long StopQuery may take, at the end of a call that has failed already.
const STOP: Duration = Duration::from_secs(2);

/// A query that may be run.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) text: String,
    pub(super) log_groups: Vec<String>,
    pub(super) range: TimeRange,
    pub(super) limit: u32,
}

/// Why a query has no rows.
#[derive(Debug, thiserror::Error)]
pub(super) enum QueryError {
    #[error("AWS refused {operation} with `{code}`: {message}")]
    Refused { operation: &'static str, code: String, message: String },
    #[error("{operation} did not reach AWS: {cause}; check the region, `AWS_ENDPOINT_URL` and the network")]
    Unreachable { operation: &'static str, cause: String },
    #[error("AWS started the query without an id, so its rows cannot be fetched; try again")]
    NoId,
    #[error("the query `{id}` ended as `{status}` and has no rows; check the query, or narrow its time range")]
    Ended { id: String, status: String },
    #[error(
        "the query was not complete after {0:?} and is stopped; narrow the time range or the log groups, or raise \
         `QUERY_TIMEOUT` in the server's environment"
    )]
    Deadline(Duration),
    #[error("the call was cancelled and its query is stopped")]
    Cancelled,
}

/// Runs `query` until it is complete, `deadline` is over or `cancelled` fires.
pub(super) async fn run(
    client: &Client,
    query: &Query,
    deadline: Duration,
    cancelled: &CancellationToken,
) -> Result<Found, QueryError> {
    let end = time::Instant::now() + deadline;
    let too_late = async {
        tokio::select! {
            () = time::sleep_until(end) => QueryError::Deadline(deadline),
            () = cancelled.cancelled() => QueryError::Cancelled,
        }
    };
    // A started query has to be stopped, so StartQuery is not given up on: the SDK's own time limits end it.
    let id = start(client, query).await?;
    let outcome = tokio::select! {
        outcome = rows(client, &id, query.limit) => outcome,
        error = too_late => Err(error),
    };
    if !matches!(outcome, Ok(_) | Err(QueryError::Ended { .. })) {
        stop(client, &id).await;
    }
    let (rows, statistics) = outcome?;
    Ok(Found {
        query_id: Some(id),
        rows: rows.into_iter().map(cells).collect(),
        statistics: statistics.map(Statistics::from),
    })
}

fn cells(row: Vec<ResultField>) -> Vec<(String, String)> {
    row.into_iter().filter_map(|cell| Some((cell.field?, cell.value.unwrap_or_default()))).collect()
}

impl From<QueryStatistics> for Statistics {
    fn from(statistics: QueryStatistics) -> Self {
        Self {
            records_matched: statistics.records_matched,
            records_scanned: statistics.records_scanned,
            bytes_scanned: statistics.bytes_scanned,
        }
    }
}

async fn start(client: &Client, query: &Query) -> Result<String, QueryError> {
    let request = client
        .start_query()
        .set_log_group_names(Some(query.log_groups.clone()))
        .start_time(query.range.start)
        .end_time(query.range.end)
        .query_string(&query.text)
        .limit(i32::try_from(query.limit).unwrap_or(i32::MAX));
    let started = request.send().await.map_err(|error| failed("StartQuery", &error))?;
    started.query_id.ok_or(QueryError::NoId)
}

type Rows = (Vec<Vec<ResultField>>, Option<QueryStatistics>);

/// Looks until the query has ended, then reads its rows.
async fn rows(client: &Client, id: &str, limit: u32) -> Result<Rows, QueryError> {
    let mut wait = FIRST_WAIT;
    loop {
        time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
        let Some(output) = look(client, id, None).await? else {
            continue;
        };
        match output.status {
            Some(QueryStatus::Complete) => return pages(client, id, output, limit).await,
            Some(QueryStatus::Scheduled | QueryStatus::Running | QueryStatus::UnknownValue) | None => {}
            Some(status) => {
                return Err(QueryError::Ended { id: id.to_owned(), status: status.as_str().to_owned() });
            }
        }
    }
}

/// Follows the pages of a complete query up to `limit` rows.
async fn pages(client: &Client, id: &str, first: GetQueryResultsOutput, limit: u32) -> Result<Rows, QueryError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let statistics = first.statistics;
    let mut rows = first.results.unwrap_or_default();
    let mut next = first.next_token;
    while rows.len() < limit
        && let Some(token) = next.take()
    {
        let page = loop {
            match look(client, id, Some(token.clone())).await? {
                Some(page) => break page,
                None => time::sleep(LONGEST_WAIT).await,
            }
        };
        // A page without rows and with a token would lead in a circle.
        next = page.next_token.filter(|_| page.results.as_ref().is_some_and(|rows| !rows.is_empty()));
        rows.extend(page.results.unwrap_or_default());
    }
    rows.truncate(limit);
    Ok((rows, statistics))
}

/// `None` when AWS asks for patience: looking is limited to a few times a second for the whole account, and a query is
/// not lost for that.
async fn look(client: &Client, id: &str, token: Option<String>) -> Result<Option<GetQueryResultsOutput>, QueryError> {
    match client.get_query_results().query_id(id).set_next_token(token).send().await {
        Ok(output) => Ok(Some(output)),
        Err(error) if is_throttle(error.code()) => Ok(None),
        Err(error) => Err(failed("GetQueryResults", &error)),
    }
}

fn is_throttle(code: Option<&str>) -> bool {
    matches!(code, Some("ThrottlingException" | "Throttling" | "TooManyRequestsException" | "RequestLimitExceeded"))
}

/// Best effort: the call has failed already, and an abandoned query ends by itself within the hour.
async fn stop(client: &Client, id: &str) {
    match time::timeout(STOP, client.stop_query().query_id(id).send()).await {
        Ok(Ok(_)) => tracing::debug!(query.id = id, "stopped the query `{id}`"),
        Ok(Err(error)) => tracing::warn!(query.id = id, "cannot stop the query `{id}`: {}", chain(&error)),
        Err(_) => tracing::warn!(query.id = id, "cannot stop the query `{id}`: no answer within {STOP:?}"),
    }
}

fn failed<E, R>(operation: &'static str, error: &SdkError<E, R>) -> QueryError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: Debug + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), message) => QueryError::Refused {
            operation,
            code: code.to_owned(),
            message: message.unwrap_or("no reason given").to_owned(),
        },
        (None, _) => QueryError::Unreachable { operation, cause: chain(error) },
    }
}
