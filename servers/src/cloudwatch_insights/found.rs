//! What a query found, whichever source of logs answered it: the seam between sources and the answer to a call. Shapes
//! and limits nothing.

/// The rows of a complete query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Id of the query at CloudWatch; a source that keeps no queries has none.
    pub(super) query_id: Option<String>,
    /// Names of the columns in order, where the source knows them without the rows.
    pub(super) columns: Option<Vec<String>>,
    /// As GetQueryResults gives them: for each row its fields and their values as text, in order. A row may lack fields
    /// that another has.
    pub(super) rows: Vec<Vec<(String, String)>>,
    /// What was read for them, where the source says so.
    pub(super) statistics: Option<Statistics>,
    /// What the caller should know of how the rows came about, one sentence each.
    pub(super) notes: Vec<String>,
}

/// What a query read, in counts. Floats, because `QueryStatistics` of GetQueryResults has them so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statistics {
    /// Log events that matched.
    pub(super) records_matched: f64,
    /// Log events that were read.
    pub(super) records_scanned: f64,
    /// Bytes of the log events that were read.
    pub(super) bytes_scanned: f64,
}

impl Found {
    /// Adds what is not said already: two looks at the same folders may say the same.
    pub(super) fn add_notes(&mut self, notes: Vec<String>) {
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }
}
