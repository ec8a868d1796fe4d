//! Finds the command SOURCE in a query: it names log groups inside the query text, past the allow list, also in a
//! subquery. Parses no more of the language than that needs, and rather refuses an odd query than let one through.
//!
//! Source: the page `CWL_QuerySyntax-Source` of the CloudWatch Logs user guide.

const WORD: &str = "source";

/// What may follow a field that is called `source`, and cannot follow the command.
const AFTER_A_FIELD: [&str; 9] = ["like", "in", "not", "and", "or", "as", "asc", "desc", "by"];

/// The query chooses its log groups itself.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the command SOURCE is not available, because it passes the list of log groups that may be read; name them in \
     `log_groups` instead (a field called source can be written `` `source` ``)"
)]
pub(super) struct SourceCommand;

/// Whether the word `source` stands anywhere that a command could.
pub(super) fn has_source_command(query: &str) -> bool {
    let lower = query.to_ascii_lowercase();
    lower.match_indices(WORD).any(|(at, _)| {
        let (before, after) = (&lower[..at], &lower[at + WORD.len()..]);
        is_whole_word(before, after) && starts_a_command(before) && !follows_a_field(after)
    })
}

fn is_whole_word(before: &str, after: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || "_@.`".contains(c);
    !before.ends_with(part_of_word) && !after.starts_with(part_of_word)
}

/// At the begin of the query, of a line or of a subquery, or after a pipe. A comment before it on the same line makes no
/// difference: its end is a line's.
fn starts_a_command(before: &str) -> bool {
    let line = before.rsplit(['\n', '\r']).next().unwrap_or_default();
    let before = before.trim_end();
    line.trim().is_empty() || before.ends_with(['|', '(', '[', '{', ';']) || before.ends_with("*/")
}

fn follows_a_field(after: &str) -> bool {
    let after = after.trim_start();
    if after.starts_with(['=', '!', '<', '>', '~', ',', '|', ')', ']', '+', '-', '*']) || after.is_empty() {
        return true;
    }
    let word = after.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    AFTER_A_FIELD.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_found() {
        for query in [
            "SOURCE logGroups(namePrefix: ['/secret']) | fields @message",
            "  source  logGroups() | limit 1",
            "# a comment\nSOURCE logGroups()",
            "# a comment\rSOURCE logGroups()",
            "fields @message | SOURCE dataSource(['x'])",
            "fields @message |source\tlogGroups()",
            "fields a | join type=left (SOURCE logGroups(namePrefix: ['/b'])) on a",
            "fields a | join type=left ( source # why\n logGroups()) on a",
            "/* c */ source logGroups()",
            "SOURCE\nlogGroups()",
            "source=x | SOURCE logGroups()",
            "Source(logGroups())",
            "source 'x'",
        ] {
            assert!(has_source_command(query), "{query}");
        }
    }

    #[test]
    fn a_field_is_not_the_command() {
        for query in [
            "fields source, @message",
            "fields @message | filter source = 'x'",
            "filter (source like 'x') and (source in ['y'])",
            "stats count(*) by\n source\n | sort count desc",
            "stats count(*) by\n source, detail",
            "fields @source, detail.source, data_source, resource, sources",
            "filter @message like /source/",
            "filter `source` = 'x'",
        ] {
            assert!(!has_source_command(query), "{query}");
        }
    }
}
