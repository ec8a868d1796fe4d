//! The log groups that may be read, as the tool `list_log_groups` tells them. Which those are is the allow list's part,
//! finding them a source's.

use schemars::JsonSchema;
use serde::Serialize;

use super::{notes, table::Table};

/// A log group as a source describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogGroup {
    /// Name, for `log_groups` of a query
    pub(super) name: String,
    /// Bytes stored; absent where that is not known
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stored_bytes: Option<i64>,
    /// Days after which log events are deleted; absent if they are kept
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retention_days: Option<i32>,
    /// When it was created, ISO 8601; absent where that is not known
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<String>,
}

/// The answer to `list_log_groups`.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Groups {
    /// The log groups, in the order of their names
    pub(super) log_groups: Vec<LogGroup>,
    /// Names that the server may read by its list, but that do not exist
    pub(super) not_found: Vec<String>,
    /// Whether there are more log groups than `limit` let through
    pub(super) limit_reached: bool,
    /// What else there is to know, such as folders that were not read; often none
    pub(super) notes: Vec<String>,
}

impl Groups {
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} log group(s) that this server may read\n", self.log_groups.len());
        if self.limit_reached {
            text.push_str("There are more: `limit` is reached; raise it, or name a longer `prefix`.\n");
        }
        if !self.log_groups.is_empty() {
            text.push_str(&format!("\n{}", self.table()));
        }
        if !self.not_found.is_empty() {
            text.push_str(&format!("\nallowed, but there is no such group: {}\n", self.not_found.join(", ")));
        }
        text.push_str(&notes::text(&self.notes));
        text
    }

    fn table(&self) -> Table {
        let rows = self.log_groups.iter().map(|group| {
            let bytes = group.stored_bytes.map(|bytes| bytes.to_string());
            let days = group.retention_days.map_or("kept".to_owned(), |days| format!("{days} days"));
            vec![group.name.clone(), bytes.unwrap_or_default(), days, group.created.clone().unwrap_or_default()]
        });
        Table::new(&["log group", "stored bytes", "retention", "created"], rows)
    }
}
