//! What a check found: one line of what was seen, and one of what to do. Prints nothing itself.

use serde_json::{Value, json};

use crate::cli::screen::{bad, count, doubtful, faint, good, plain, strong, wrapped};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Level {
    Good,
    /// It was not looked at.
    Unknown,
    /// It works, and may not do so for long, or not as it was meant.
    Warning,
    /// It does not work.
    Problem,
}

/// One.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Finding {
    pub(in crate::cli) level: Level,
    /// What it is about, such as `target orders`.
    subject: String,
    /// What was looked at, such as `TLS`.
    pub(in crate::cli) what: &'static str,
    pub(in crate::cli) seen: String,
    /// What to do about it.
    pub(in crate::cli) advice: Option<String>,
}

impl Finding {
    pub(in crate::cli) fn good(what: &'static str, seen: impl Into<String>) -> Self {
        Self { level: Level::Good, subject: String::new(), what, seen: seen.into(), advice: None }
    }

    pub(in crate::cli) fn unknown(what: &'static str, seen: impl Into<String>) -> Self {
        Self { level: Level::Unknown, ..Self::good(what, seen) }
    }

    pub(in crate::cli) fn warning(what: &'static str, seen: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::good(what, seen) }
    }

    pub(in crate::cli) fn problem(what: &'static str, seen: impl Into<String>) -> Self {
        Self { level: Level::Problem, ..Self::good(what, seen) }
    }

    /// The same with what to do.
    pub(in crate::cli) fn todo(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// The same as something that works all the same.
    pub(in crate::cli) fn but_works(self) -> Self {
        Self { level: Level::Warning, ..self }
    }

    /// The same with this to do where nothing is said yet.
    pub(in crate::cli) fn or_todo(self, advice: &str) -> Self {
        Self { advice: self.advice.or_else(|| Some(advice.into())), ..self }
    }

    /// A problem from an error's text, whose part after the last `:` or `;` may be the advice already.
    pub(in crate::cli) fn failed(what: &'static str, error: impl std::fmt::Display) -> Self {
        let text = error.to_string();
        match text.rsplit_once("; ").or_else(|| text.rsplit_once(": check ").map(|(seen, _)| (seen, ""))) {
            Some((seen, "")) => {
                let advice = text[seen.len()..].trim_start_matches([':', ' ']);
                Self::problem(what, seen).todo(advice)
            }
            Some((seen, advice)) => Self::problem(what, seen).todo(advice),
            None => Self::problem(what, text),
        }
    }

    pub(in crate::cli) fn about(self, subject: &str) -> Self {
        Self { subject: subject.into(), ..self }
    }
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }

    fn sign(self) -> String {
        match self {
            Self::Good => good("ok     "),
            Self::Unknown => faint("unknown"),
            Self::Warning => doubtful("warning"),
            Self::Problem => bad("problem"),
        }
    }
}

/// Under the heading of each subject its findings; a last line with the count.
pub(in crate::cli) fn as_text(findings: &[Finding], width: usize) -> String {
    let mut lines = Vec::new();
    for group in findings.chunk_by(|one, next| one.subject == next.subject) {
        lines.push(strong(&plain(&group[0].subject)));
        for Finding { level, what, seen, advice, .. } in group {
            let text = wrapped(&format!("{what}: {}", plain(seen)), 10, width);
            lines.push(format!("  {} {}", level.sign(), text.trim_start()));
            lines.extend(advice.as_ref().map(|advice| faint(&wrapped(&format!("→ {}", plain(advice)), 10, width))));
        }
    }
    let many = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let (warnings, problems) = (many(Level::Warning), many(Level::Problem));
    lines.push(match (problems, warnings) {
        (0, 0) if many(Level::Unknown) > 0 => "\nno problem is known, and not everything was looked at".into(),
        (0, 0) => format!("\n{}", good("everything is well")),
        (0, _) => format!("\n{}", doubtful(&count(warnings, "warning"))),
        (_, 0) => format!("\n{}", bad(&count(problems, "problem"))),
        _ => format!("\n{}, {}", bad(&count(problems, "problem")), doubtful(&count(warnings, "warning"))),
    });
    lines.join("\n") + "\n"
}

/// For a program.
pub(in crate::cli) fn as_json(findings: &[Finding]) -> Value {
    let of = |finding: &Finding| {
        let Finding { level, subject, what, seen, advice } = finding;
        json!({"subject": subject, "what": what, "level": level.word(), "seen": seen, "advice": advice})
    };
    let well = findings.iter().all(|finding| finding.level != Level::Problem);
    json!({"ok": well, "findings": findings.iter().map(of).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_stand_under_what_they_are_about() {
        console::set_colors_enabled(false);
        let findings = [
            Finding::good("address", "free").about("listen"),
            Finding::warning("TLS", "the certificate ends in 3 days").todo("renew it").about("target a"),
            Finding::failed("list", "target `a` answered HTTP 500; check the server").about("target a"),
        ];
        insta::assert_snapshot!(as_text(&findings, 80), @"
        listen
          ok      address: free
        target a
          warning TLS: the certificate ends in 3 days
                  → renew it
          problem list: target `a` answered HTTP 500
                  → check the server

        1 problem, 1 warning
        ");
        assert_eq!(
            (as_json(&findings)["ok"].as_bool(), as_json(&findings[..2])["ok"].as_bool()),
            (Some(false), Some(true))
        );
        let checked = Finding::failed("x", "`https://a` cannot be reached (refused): check the URL and the network");
        assert_eq!(checked.advice.as_deref(), Some("check the URL and the network"));
    }
}
