//! Which command may follow which, as CloudWatch has it. What the commands hold is not looked at.
//!
//! Source: the pages `CWL_QuerySyntax-Stats` (section on several `stats`) and `CWL_QuerySyntax-Dedup` of the CloudWatch
//! Logs user guide.

use crate::cloudwatch_insights::directory::syntax::{Action, Command, Mistake};

pub(super) fn check(query: &str, commands: &[Command]) -> Result<(), Mistake> {
    let mistake = |command: &Command, message: &str| Err(Mistake::new(query, command.span.start, message));
    let (mut stats, mut sorted, mut deduplicated) = (0, false, false);
    for command in commands {
        if deduplicated && !matches!(command.action, Action::Limit(_)) {
            return mistake(command, "only `limit` may follow `dedup`; move this command before it");
        }
        match command.action {
            Action::Stats { .. } if stats == 2 => {
                return mistake(command, "a query may have two `stats` commands, and this is the third");
            }
            Action::Stats { .. } if stats == 1 && sorted => {
                return mistake(command, "`sort` and `limit` must stand after the second `stats`, not before it");
            }
            Action::Stats { .. } => stats += 1,
            Action::Sort(_) | Action::Limit(_) if stats == 1 => sorted = true,
            Action::Dedup(_) => deduplicated = true,
            _ => {}
        }
    }
    Ok(())
}
