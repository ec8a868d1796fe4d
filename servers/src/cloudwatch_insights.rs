//! The server `cloudwatch-insights`: runs a CloudWatch Logs Insights query over log groups of an allow list and returns
//! the rows. Reads logs only; which groups the role itself may read is IAM's part.

mod allow_list;
mod answer;
mod aws;
mod call;
mod directory;
mod fields;
mod found;
mod groups;
mod notes;
mod progress;
mod query;
mod settings;
mod source;
mod source_command;
mod table;
mod time_range;

use std::{sync::Arc, time::Duration};

use causeway_oidc::clock::Clock;
use rmcp::{
    RoleServer, ServerHandler,
    handler::server::{router::tool::ToolRouter, tool::schema_for_output, wrapper::Parameters},
    model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig},
    service::RequestContext,
    tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::{
    allow_list::NotAllowed,
    answer::Answer,
    call::Call,
    fields::Fields,
    groups::Groups,
    query::{Asked, BadQuery, Query},
    settings::{Settings, SettingsError},
    source::{Source, SourceError},
};

/// Most log groups that one call lists.
const MAX_GROUPS: u32 = 1000;

/// How much longer than allowed a query may take that is being stopped.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The MCP server.
#[derive(Clone, Debug)]
pub(crate) struct Insights {
    tools: Arc<ToolRouter<Self>>,
    settings: Arc<Settings>,
    source: Arc<Source>,
    clock: Clock,
    /// Queries under way, which outlive a cancelled call until they are stopped.
    running: TaskTracker,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QueryParams {
    /// Query in CloudWatch Logs Insights query language, for example
    /// `fields @timestamp, @message | filter @message like /ERROR/ | sort @timestamp desc`.
    /// The command SOURCE is not available: name the log groups in `log_groups`
    query: String,

    /// Names of the log groups to query, at most 50 at CloudWatch. By default all the groups that this server may read, where it
    /// knows them by name
    #[serde(default)]
    log_groups: Option<Vec<String>>,

    /// Begin of the time range: how long ago (`30m`, `1h`, `7d`, `1h30m`) or a time in ISO 8601
    /// (`2026-01-31T12:00:00Z`; UTC without an offset), or seconds or milliseconds since the epoch
    #[serde(default = "an_hour_ago", deserialize_with = "start_time")]
    start: String,

    /// End of the time range, written like `start`, or `now`
    #[serde(default = "now", deserialize_with = "end_time")]
    end: String,

    /// Most rows to return
    #[serde(default = "a_hundred")]
    #[schemars(range(min = 1, max = 10_000))]
    limit: u32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GroupsParams {
    /// What the names begin with. By default all the groups that this server may read
    #[serde(default)]
    prefix: String,

    /// Most log groups to return
    #[serde(default = "a_hundred")]
    #[schemars(range(min = 1, max = 1000))]
    limit: u32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FieldsParams {
    /// Name of the log group
    log_group: String,
}

/// Why a call has no answer. All of it is for the model to read and act on.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    BadQuery(#[from] BadQuery),
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error(
        "there is no log group to query: no folder that this server may read holds log files; \
         `list_log_groups` says what it found"
    )]
    NoGroups,
    #[error("`limit` is `{0}`; choose 1 to {MAX_GROUPS}")]
    Limit(u32),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the query was not even started after {0:?}, because nothing answers; it is stopped should it start")]
    Silence(Duration),
    #[error("the query ended abnormally")]
    Lost,
}

#[tool_router(router = tools)]
impl Insights {
    /// With the settings of every source that is there. Missing AWS settings are no error here: the tools say so when
    /// they are called.
    pub(crate) async fn start(running: TaskTracker) -> Result<Self, SettingsError> {
        let clock = Clock::system();
        let (settings, source) = Settings::load(&clock).await?;
        Ok(Self {
            tools: Arc::new(Self::tools()),
            settings: Arc::new(settings),
            source: Arc::new(source),
            clock,
            running,
        })
    }

    /// Runs a CloudWatch Logs Insights query and returns its rows. Times in rows are UTC.
    #[tool(
        title = "Query CloudWatch Logs Insights",
        output_schema = schema_for_output::<Answer>(),
        annotations(read_only_hint = true, destructive_hint = false, idempotent_hint = true, open_world_hint = true)
    )]
    async fn query_cloudwatch_insights(
        &self,
        Parameters(params): Parameters<QueryParams>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        answer(self.query(params, &context).await, Answer::text)
    }

    /// Lists the log groups that this server may read, with their stored bytes, retention and time of creation.
    #[tool(
        title = "List log groups",
        output_schema = schema_for_output::<Groups>(),
        annotations(read_only_hint = true, destructive_hint = false, idempotent_hint = true, open_world_hint = true)
    )]
    async fn list_log_groups(
        &self,
        Parameters(params): Parameters<GroupsParams>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        answer(self.groups(params, &context).await, Groups::text)
    }

    /// Lists the fields that recent events of a log group have, for use in queries.
    #[tool(
        title = "List fields of a log group",
        output_schema = schema_for_output::<Fields>(),
        annotations(read_only_hint = true, destructive_hint = false, idempotent_hint = true, open_world_hint = true)
    )]
    async fn get_log_fields(
        &self,
        Parameters(params): Parameters<FieldsParams>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        answer(self.fields(params, &context).await, Fields::text)
    }

    async fn query(&self, params: QueryParams, context: &RequestContext<RoleServer>) -> Result<Answer, CallError> {
        let QueryParams { query: text, log_groups, start, end, limit } = params;
        let (log_groups, notes) = self.named_or_all(log_groups, context).await?;
        let asked = Asked { text, log_groups, start, end, limit };
        let (allowed, most_groups) = (&self.settings.allowed, self.source.most_groups());
        let query = Query::checked(asked, allowed, most_groups, self.clock.now())?;
        let cancelled = context.ct.child_token();
        // Should this future be dropped, the query is stopped all the same.
        let _cancel_on_drop = cancelled.clone().drop_guard();
        let call = Call::new(context, self.settings.query_timeout, cancelled);
        let source = self.source.clone();
        let task = self.running.spawn(async move {
            let mut found = source.query(&query, &call).await?;
            found.add_notes(notes);
            Ok::<_, SourceError>(Answer::new(&query, found))
        });
        // The task ends with the call, unless what starts a query does not answer. Then it waits for that alone, to stop it.
        let allowed = self.settings.query_timeout;
        let ended = timeout(allowed + LAST_WORDS, task).await.map_err(|_| CallError::Silence(allowed))?;
        Ok(ended.map_err(|_| CallError::Lost)??)
    }

    async fn groups(&self, params: GroupsParams, context: &RequestContext<RoleServer>) -> Result<Groups, CallError> {
        let GroupsParams { prefix, limit } = params;
        let lookups = self.settings.allowed.lookups(&prefix)?;
        if !(1..=MAX_GROUPS).contains(&limit) {
            return Err(CallError::Limit(limit));
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.source.log_groups(&lookups, most, &self.call(context)).await?)
    }

    async fn fields(&self, params: FieldsParams, context: &RequestContext<RoleServer>) -> Result<Fields, CallError> {
        let log_group = self.settings.allowed.choose_one(params.log_group)?;
        let (fields, notes) = self.source.fields(&log_group, &self.call(context)).await?;
        Ok(Fields { log_group, fields, notes })
    }

    /// The groups that a query names. Where it names none and the groups are at hand, all that may be read, and what there
    /// is to say of the search for them.
    async fn named_or_all(
        &self,
        named: Option<Vec<String>>,
        context: &RequestContext<RoleServer>,
    ) -> Result<(Option<Vec<String>>, Vec<String>), CallError> {
        let named = named.filter(|named| !named.is_empty());
        if named.is_some() || !self.source.is_local() {
            return Ok((named, Vec::new()));
        }
        let lookups = self.settings.allowed.lookups("")?;
        let groups = self.source.log_groups(&lookups, usize::MAX, &self.call(context)).await?;
        if groups.log_groups.is_empty() {
            return Err(CallError::NoGroups);
        }
        Ok((Some(groups.log_groups.into_iter().map(|group| group.name).collect()), groups.notes))
    }

    fn call(&self, context: &RequestContext<RoleServer>) -> Call {
        Call::new(context, self.settings.query_timeout, context.ct.clone())
    }
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Insights {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("cloudwatch-insights", env!("CARGO_PKG_VERSION")))
            .with_instructions(format!("{} {}", self.source.describe(), self.settings.allowed.describe()))
    }
}

/// The answer for a program and as text, or the error as text.
fn answer<T: Serialize>(outcome: Result<T, CallError>, text: impl FnOnce(&T) -> String) -> CallToolResult {
    match outcome {
        Ok(answer) => {
            let mut result = CallToolResult::success(vec![ContentBlock::text(text(&answer))]);
            result.structured_content = Some(serde_json::json!(answer));
            result
        }
        Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
    }
}

/// A time as a text or as a number; `null` is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Text(String),
    Number(serde_json::Number),
}

fn time<'de, D: Deserializer<'de>>(given: D, default: fn() -> String) -> Result<String, D::Error> {
    Ok(match Option::<Time>::deserialize(given)? {
        Some(Time::Text(text)) => text,
        Some(Time::Number(number)) => number.to_string(),
        None => default(),
    })
}

fn start_time<'de, D: Deserializer<'de>>(given: D) -> Result<String, D::Error> {
    time(given, an_hour_ago)
}

fn end_time<'de, D: Deserializer<'de>>(given: D) -> Result<String, D::Error> {
    time(given, now)
}

fn an_hour_ago() -> String {
    "1h".to_owned()
}

fn now() -> String {
    "now".to_owned()
}

fn a_hundred() -> u32 {
    100
}
