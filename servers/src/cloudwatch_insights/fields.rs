//! The fields that the events of a log group have, as the tool `get_log_fields` tells them. Finding them is a source's
//! part.

use schemars::JsonSchema;
use serde::Serialize;

use super::{notes, table::Table};

/// A field that a query can name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Field {
    /// Name, as a query writes it
    pub(super) name: String,
    /// How many of a hundred recent log events have it
    pub(super) percent: i32,
}

/// The answer to `get_log_fields`.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields {
    /// The log group
    pub(super) log_group: String,
    /// Its fields; none if it has no recent log events
    pub(super) fields: Vec<Field>,
    /// What else there is to know, such as files that were not read; often none
    pub(super) notes: Vec<String>,
}

impl Fields {
    pub(super) fn text(&self) -> String {
        let group = &self.log_group;
        if self.fields.is_empty() {
            return format!("no fields in {group}: it has no recent log events\n{}", notes::text(&self.notes));
        }
        let rows = self.fields.iter().map(|field| vec![field.name.clone(), field.percent.to_string()]);
        let table = Table::new(&["field", "percent"], rows);
        format!(
            "{} field(s) in {group}, with the percentage of recent log events that have them\n\n{table}{}",
            self.fields.len(),
            notes::text(&self.notes)
        )
    }
}
