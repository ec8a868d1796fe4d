//! How things look to a person: colours where they are wanted, lines that fit, and nothing of a stranger's that could steer
//! the terminal. And the way out to both streams, which somebody may have closed (`causeway tools … | head`).

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    time::Duration,
};

use anyhow::Context;
use causeway_oidc::wire_log;
use clap::ValueEnum;
use console::{Style, Term, measure_text_width};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Unread;
use crate::config::{Environment, environment::Reference};

/// Columns where nobody says how many there are.
const WIDTH: usize = 100;
/// Text is not broken into lines shorter than this.
const NARROWEST: usize = 24;

/// When output is in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

/// Decides for the whole process.
pub(super) fn choose(colour: Colour, environment: &Environment) {
    let wanted = |is_terminal: bool| match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            let dumb = environment.look_up(Reference::Variable("TERM")).is_ok_and(|term| term.expose() == "dumb");
            is_terminal && !dumb && environment.look_up(Reference::Variable("NO_COLOR")).is_err()
        }
    };
    console::set_colors_enabled(wanted(std::io::stdout().is_terminal()));
    console::set_colors_enabled_stderr(wanted(std::io::stderr().is_terminal()));
}

/// Writes to standard output.
///
/// # Errors
/// [`Unread`] once nobody reads it any more, as behind `| head`; any other reason why it cannot be written to.
pub(super) fn out(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Unread.into()),
        written => written.context("standard output cannot be written to"),
    }
}

/// The same with a line end.
pub(super) fn out_line(text: &str) -> anyhow::Result<()> {
    out(&[text, "\n"].concat())
}

/// Writes to standard error. If nobody reads that, there is nobody to tell.
pub(super) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// A line on standard error, as `eprintln!` writes it, which panics where nobody reads.
macro_rules! tell {
    ($($words:tt)*) => { $crate::cli::screen::say(&(format!($($words)*) + "\n")) };
}
pub(in crate::cli) use tell;

pub(super) fn strong(text: &str) -> String {
    Style::new().bold().apply_to(text).to_string()
}

pub(super) fn faint(text: &str) -> String {
    Style::new().dim().apply_to(text).to_string()
}

pub(super) fn good(text: &str) -> String {
    Style::new().green().apply_to(text).to_string()
}

pub(super) fn doubtful(text: &str) -> String {
    Style::new().yellow().apply_to(text).to_string()
}

pub(super) fn bad(text: &str) -> String {
    Style::new().red().bold().apply_to(text).to_string()
}

pub(super) fn named(text: &str) -> String {
    Style::new().cyan().bold().apply_to(text).to_string()
}

/// A line for standard error that begins with a word such as `warning`.
pub(super) fn notice(word: &str, text: &str) -> String {
    let style = match word {
        "error" => Style::new().red().bold(),
        "warning" => Style::new().yellow().bold(),
        _ => Style::new().dim(),
    };
    format!("{} {text}", style.for_stderr().apply_to(format!("{word}:")))
}

/// Columns of standard output.
pub(super) fn width() -> usize {
    Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| columns.into())
}

/// `text` in lines that begin with `indent` spaces and have at most `width` columns, where its words allow that. Its own line
/// ends stay. Without a line end at the end.
pub(super) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(NARROWEST);
    let margin = " ".repeat(indent);
    let lines = text.trim_end().lines().flat_map(|line| broken(line, room));
    let lines: Vec<String> = lines.map(|line| [margin.as_str(), &line].concat().trim_end().to_owned()).collect();
    lines.join("\n")
}

fn broken(line: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let last = lines.last_mut().expect("it begins with one line");
        if last.is_empty() {
            last.push_str(word);
        } else if measure_text_width(last) + 1 + measure_text_width(word) <= room {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.into());
        }
    }
    lines
}

/// `text` and spaces up to so many columns.
pub(super) fn padded(text: &str, columns: usize) -> String {
    let spaces = columns.saturating_sub(measure_text_width(text));
    [text, &" ".repeat(spaces)].concat()
}

/// A text of a stranger without what could steer a terminal or break a line.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The same, but lines and tabs stay.
pub(super) fn plain(text: &str) -> String {
    let keeps = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.replace("\r\n", "\n").chars().map(|c| if keeps(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// So many of a thing.
pub(super) fn count(many: usize, one: &str) -> String {
    format!("{many} {one}{}", if many == 1 { "" } else { "s" })
}

/// `2 hours 5 minutes`: two units at most.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [("day", seconds / 86_400), ("hour", seconds / 3600 % 24), ("minute", seconds / 60 % 60)];
    let mut parts: Vec<String> =
        units.into_iter().filter(|(_, many)| *many > 0).map(|(unit, many)| count(many as usize, unit)).collect();
    if parts.is_empty() || seconds < 3600 && !seconds.is_multiple_of(60) {
        parts.push(count((seconds % 60) as usize, "second"));
    }
    parts.truncate(2);
    parts.join(" ")
}

/// Something turns on standard error while `what` goes on, if a person sees it.
pub(super) fn spinner(what: String, hidden: bool) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what);
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("a template that was tried"));
    // Nothing turns between the lines of `--debug`.
    if hidden || !std::io::stderr().is_terminal() || wire_log::is_on() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_where_words_allow() {
        let text = "Adds two numbers and gives their sum.\nExact for integers.\n";
        assert_eq!(wrapped(text, 2, 30), "  Adds two numbers and gives\n  their sum.\n  Exact for integers.");
        assert_eq!(wrapped(&"x".repeat(40), 0, 30), "x".repeat(40));
        assert_eq!(wrapped("", 4, 30), "");
    }

    #[test]
    fn strangers_do_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a\u{fffd}[31m\u{fffd}b");
        assert_eq!(plain("a\u{1b}[31m\r\nb\tc\u{7}"), "a\u{fffd}[31m\nb\tc\u{fffd}");
    }

    #[test]
    fn time_is_said_in_two_units() {
        let check = |seconds, words: &str| assert_eq!(duration(Duration::from_secs(seconds)), words);
        check(0, "0 seconds");
        check(59, "59 seconds");
        check(61, "1 minute 1 second");
        check(3600, "1 hour");
        check(7505, "2 hours 5 minutes");
        check(90_061, "1 day 1 hour");
    }
}
