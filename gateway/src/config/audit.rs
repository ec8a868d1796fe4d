//! The audit log as the program keeps it.

use std::path::PathBuf;

/// What is kept of each call, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    pub sink: AuditSink,
    pub on_full: OnFull,
    /// Arguments of tools and prompts are kept too.
    pub arguments: bool,
    /// Arguments that are larger are left out.
    pub argument_bytes: usize,
    pub redaction: Redaction,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSink {
    Stdout,
    File(PathBuf),
}

/// What happens when lines come faster than they can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// Calls go on, and how many have no line is said in the log.
    Drop,
    /// Calls are refused before anything of them is done.
    Refuse,
}

/// What of arguments is never kept, beside what always is so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Redaction {
    /// Names of members.
    pub names: Vec<String>,
    /// JSON pointers (RFC 6901) from the arguments on; `*` stands for any step.
    pub pointers: Vec<String>,
    /// Regular expressions over values.
    pub patterns: Vec<String>,
}
