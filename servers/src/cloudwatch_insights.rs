//! The server `cloudwatch-insights`: runs a CloudWatch Logs Insights query over log groups of an allow list and returns
//! the rows. Reads logs only; which groups the role itself may read is IAM's part.

mod allow_list;
mod answer;
mod aws;
mod found;
mod query;
mod settings;
mod source_command;
mod time_range;

use std::sync::Arc;

use causeway_oidc::clock::Clock;
use rmcp::{
    ServerHandler,
    handler::server::{router::tool::ToolRouter, tool::schema_for_output, wrapper::Parameters},
    model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    allow_list::NotAllowed,
    answer::Answer,
    aws::{Aws, NotReady},
    query::{Query, QueryError},
    settings::{Settings, SettingsError},
    source_command::{SourceCommand, has_source_command},
    time_range::{BadRange, TimeRange},
};

/// Most rows that one call returns: what GetQueryResults gives in one answer.
const MAX_LIMIT: u32 = 10_000;

/// The MCP server.
#[derive(Clone, Debug)]
pub(crate) struct Insights {
    tools: Arc<ToolRouter<Self>>,
    settings: Arc<Settings>,
    aws: Arc<Aws>,
    clock: Clock,
    /// Queries under way, which outlive a cancelled call until they are stopped.
    running: TaskTracker,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Params {
    /// Query in CloudWatch Logs Insights query language, for example
    /// `fields @timestamp, @message | filter @message like /ERROR/ | sort @timestamp desc`.
    /// The command SOURCE is not available: name the log groups in `log_groups`
    query: String,

    /// Names of the log groups to query, at most 50. By default all the groups that this server may read, where it
    /// knows them by name
    #[serde(default)]
    log_groups: Option<Vec<String>>,

    /// Begin of the time range: how long ago (`30m`, `1h`, `7d`, `1h30m`) or a time in ISO 8601
    /// (`2026-01-31T12:00:00Z`; UTC without an offset)
    #[serde(default = "an_hour_ago")]
    start: String,

    /// End of the time range, written like `start`, or `now`
    #[serde(default = "now")]
    end: String,

    /// Most rows to return
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 10_000))]
    limit: u32,
}

/// Why a call has no rows. All of it is for the model to read and act on.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error(transparent)]
    SourceCommand(#[from] SourceCommand),
    #[error(transparent)]
    Range(#[from] BadRange),
    #[error("`limit` is `{0}`; choose 1 to {MAX_LIMIT}")]
    Limit(u32),
    #[error("`query` is empty; for example `fields @timestamp, @message | sort @timestamp desc`")]
    EmptyQuery,
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("the query ended abnormally")]
    Lost,
}

#[tool_router(router = tools)]
impl Insights {
    /// Settings from the environment. Missing AWS settings are no error here: the tool says so when it is called.
    pub(crate) fn from_env(running: TaskTracker) -> Result<Self, SettingsError> {
        Ok(Self {
            tools: Arc::new(Self::tools()),
            settings: Arc::new(Settings::from_env()?),
            aws: Arc::default(),
            clock: Clock::system(),
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
        Parameters(params): Parameters<Params>,
        cancelled: CancellationToken,
    ) -> CallToolResult {
        match self.call(params, &cancelled).await {
            Ok(answer) => answer.into_result(),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
        }
    }

    async fn call(&self, params: Params, cancelled: &CancellationToken) -> Result<Answer, CallError> {
        let query = self.checked(params)?;
        let client = self.aws.logs().await?;
        let deadline = self.settings.query_timeout;
        let cancelled = cancelled.child_token();
        // Should this future be dropped, the query is stopped all the same.
        let _cancel_on_drop = cancelled.clone().drop_guard();
        let task = self.running.spawn(async move {
            let found = query::run(&client, &query, deadline, &cancelled).await?;
            Ok::<_, QueryError>(Answer::new(&query, found))
        });
        Ok(task.await.map_err(|_| CallError::Lost)??)
    }

    /// Everything that can be refused before AWS is asked.
    fn checked(&self, params: Params) -> Result<Query, CallError> {
        let Params { query: text, log_groups, start, end, limit } = params;
        let log_groups = self.settings.allowed.choose(log_groups)?;
        if text.trim().is_empty() {
            return Err(CallError::EmptyQuery);
        }
        if has_source_command(&text) {
            return Err(SourceCommand.into());
        }
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(CallError::Limit(limit));
        }
        let range = TimeRange::parse(&start, &end, self.clock.now())?;
        Ok(Query { text, log_groups, range, limit })
    }
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Insights {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("cloudwatch-insights", env!("CARGO_PKG_VERSION")))
            .with_instructions(format!("Queries CloudWatch logs. {}", self.settings.allowed.describe()))
    }
}

fn an_hour_ago() -> String {
    "1h".to_owned()
}

fn now() -> String {
    "now".to_owned()
}

fn default_limit() -> u32 {
    100
}
