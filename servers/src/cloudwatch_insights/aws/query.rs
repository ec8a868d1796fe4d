//! One query from StartQuery to its rows. A query that is not wanted any more is stopped, because it costs money and one
//! of the account's few slots. Gives the rows as AWS does; shaping them is not done here.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::{
    Client,
    operation::get_query_results::GetQueryResultsOutput,
    types::{QueryStatistics, QueryStatus, ResultField},
};
use tokio::time;

use super::{
    patience::{Effect, patiently},
    refusal::{AwsError, BadEnd},
};
use crate::cloudwatch_insights::{
    call::{Call, Interrupted},
    found::{Found, Statistics},
    query::Query,
};

/// Wait before the first look at the results. Doubled after each look...
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// ...up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// How long StopQuery may take, at the end of a call that has failed already.
const STOP: Duration = Duration::from_secs(2);

/// Runs `query` until it is complete or the call ends.
pub(super) async fn run(client: &Client, query: &Query, call: &Call) -> Result<Found, AwsError> {
    // A started query has to be stopped, so StartQuery is not given up on: the client's own time limits end it.
    let id = start(client, query, call).await?;
    let outcome = call.within(found(client, &id, query.limit, call)).await;
    if matches!(outcome, Ok(Ok(_) | Err(AwsError::Ended { .. }))) {
        return outcome?;
    }
    let stopped = stop(client, &id).await;
    match outcome {
        Err(Interrupted::Deadline(allowed)) => Err(AwsError::TooLong { allowed, stopped }),
        outcome => outcome?,
    }
}

async fn start(client: &Client, query: &Query, call: &Call) -> Result<String, AwsError> {
    let request = client
        .start_query()
        .start_time(query.range.start)
        .end_time(query.range.end)
        .query_string(&query.text)
        .limit(i32::try_from(query.limit).unwrap_or(i32::MAX));
    // StartQuery takes one way of naming groups, and one group has a member of its own.
    let request = match query.log_groups.as_slice() {
        [group] => request.log_group_name(group),
        groups => request.set_log_group_names(Some(groups.to_vec())),
    };
    let started = patiently("StartQuery", Effect::Starts, call, || request.clone().send()).await;
    let started = started.map_err(|refusal| refusal.of_query(&query.text))?;
    started.query_id.ok_or(AwsError::NoId)
}

/// Looks until the query has ended, then reads its rows.
async fn found(client: &Client, id: &str, limit: u32, call: &Call) -> Result<Found, AwsError> {
    let mut wait = FIRST_WAIT;
    loop {
        time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
        let output = look(client, id, None, call).await?;
        match &output.status {
            Some(QueryStatus::Complete) => return pages(client, id, output, limit, call).await,
            Some(QueryStatus::Failed) => return Err(AwsError::ended(id, BadEnd::Failed)),
            Some(QueryStatus::Timeout) => return Err(AwsError::ended(id, BadEnd::Timeout)),
            Some(QueryStatus::Cancelled) => return Err(AwsError::ended(id, BadEnd::Cancelled)),
            // `Unknown`, and what a later version of AWS says, may still become one of these.
            _ => call.progress.say(so_far(&output)).await,
        }
    }
}

/// Follows the pages of a complete query up to `limit` rows.
async fn pages(
    client: &Client,
    id: &str,
    first: GetQueryResultsOutput,
    limit: u32,
    call: &Call,
) -> Result<Found, AwsError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rows = first.results.unwrap_or_default();
    let mut next = first.next_token;
    while rows.len() < limit
        && let Some(token) = next.take()
    {
        let page = look(client, id, Some(token), call).await?;
        // A page without rows and with a token would lead in a circle.
        next = page.next_token.filter(|_| page.results.as_ref().is_some_and(|rows| !rows.is_empty()));
        rows.extend(page.results.unwrap_or_default());
    }
    rows.truncate(limit);
    Ok(Found {
        query_id: Some(id.to_owned()),
        columns: None,
        rows: rows.into_iter().map(cells).collect(),
        statistics: first.statistics.map(Statistics::from),
        notes: Vec::new(),
    })
}

async fn look(
    client: &Client,
    id: &str,
    token: Option<String>,
    call: &Call,
) -> Result<GetQueryResultsOutput, AwsError> {
    let request = client.get_query_results().query_id(id).set_next_token(token);
    Ok(patiently("GetQueryResults", Effect::Reads, call, || request.clone().send()).await?)
}

/// Best effort, and whether it came off: the call has failed already, and an abandoned query ends by itself within the hour.
/// An account that is asked too often for rows is asked too often for this as well, so it is asked again.
async fn stop(client: &Client, id: &str) -> bool {
    let call = Call::afterwards(STOP);
    let stopping = patiently("StopQuery", Effect::Reads, &call, || client.stop_query().query_id(id).send());
    let why = match call.within(stopping).await {
        Ok(Ok(_)) => {
            tracing::debug!(query.id = id, "stopped the query `{id}`");
            return true;
        }
        Ok(Err(refusal)) => AwsError::from(refusal).to_string(),
        Err(_) => format!("no answer within {STOP:?}"),
    };
    tracing::warn!(query.id = id, "cannot stop the query `{id}`: {why}");
    false
}

/// What a look at a query that is not complete shows.
fn so_far(output: &GetQueryResultsOutput) -> String {
    let status = output.status.as_ref().map_or("unknown", QueryStatus::as_str);
    match &output.statistics {
        Some(QueryStatistics { records_matched, records_scanned, .. }) => {
            format!("{status}: {records_matched} records matched, {records_scanned} scanned")
        }
        None => status.to_owned(),
    }
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
