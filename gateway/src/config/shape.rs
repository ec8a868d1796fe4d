//! Reads TOML into the mirror and goes on after a mistake: an unknown key or a value of the wrong type is reported, taken
//! out of the document, and the rest is read again. Knows no meaning of any value and repeats none in a message.

use std::ops::Range;

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

use super::{
    file::File,
    findings::{Findings, ROOT},
    mistake::{Label, Subject},
};

mod wording;

/// The text is no TOML, or too little of it is right to go on; the findings say which.
#[derive(Debug)]
pub(super) struct Unusable;

/// One step from a table or list to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Entry(usize),
}

/// So many mistakes of shape are reported in one run; a file with more is something else than a config.toml.
const MOST: usize = 100;

/// The mirror of `text`, without what it could not hold.
///
/// # Errors
/// [`Unusable`].
pub(super) fn read(text: &str, findings: &mut Findings) -> Result<File, Unusable> {
    let mut document = DeTable::parse(text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        let what = error.message().trim_end_matches(", expected nothing");
        findings
            .report(&at, format!("is no TOML here: {what}; texts stand in quotes, and https://toml.io shows the rest"));
        Unusable
    })?;
    name_subjects(document.get_ref(), findings);
    for _ in 0..MOST {
        match File::deserialize(Deserializer::from(document.clone())) {
            Ok(file) => return Ok(file),
            Err(error) => {
                if !report(&error, &mut document, findings) {
                    break;
                }
            }
        }
    }
    findings.concern(None);
    findings.report_for_file("cannot be read further; correct the mistakes so far and check again");
    Err(Unusable)
}

/// Reports `error` and takes what caused it out of `document`; says whether it was found there.
fn report(error: &toml::de::Error, document: &mut Spanned<DeTable<'_>>, findings: &mut Findings) -> bool {
    let Some(at) = error.span() else { return false };
    let Some(steps) = steps_to(document.get_ref(), &at) else {
        return false;
    };
    let (table, target) = surroundings(document.get_ref(), &steps);
    let Some(value) = take(document.get_mut(), &steps) else {
        return false;
    };
    if let Some(Step::Key(key)) = steps.last() {
        // A key below the wrong header is not missing below the right one.
        for place in [table, ROOT.start].into_iter().chain(target.as_ref().map(|target| target.start)) {
            findings.take_out(place, key);
        }
    }
    // Empty only because all that was in it was wrong, which is reported already.
    if error.message().contains("found 0 elements") && findings.took_any(&value.span()) {
        return true;
    }
    let wording = wording::of(error.message(), &steps, value.get_ref());
    findings.concern(target.as_ref());
    findings.report(&at, wording.message);
    if let Some(meant) = wording.meant {
        findings.take_out(table, &meant);
    }
    findings.concern(None);
    true
}

/// Gives each target and each toolset the name it is called by in messages.
fn name_subjects(document: &DeTable<'_>, findings: &mut Findings) {
    for (key, subject) in [("targets", Subject::Target as fn(Label) -> Subject), ("toolsets", Subject::Toolset)] {
        let Some(DeValue::Array(tables)) = document.get(key).map(Spanned::get_ref) else { continue };
        for (index, table) in tables.iter().enumerate() {
            let name = table.get_ref().get("name").and_then(|name| name.get_ref().as_str());
            let label = name.map_or(Label::Number(index + 1), |name| Label::Name(name.into()));
            findings.name_subject(table.span().start, subject(label));
        }
    }
}

/// The way to the member whose name or value stands at `at`.
fn steps_to(table: &DeTable<'_>, at: &Range<usize>) -> Option<Vec<Step>> {
    table.iter().find_map(|(key, value)| {
        let step = Step::Key(key.get_ref().to_string());
        if key.span() == *at { Some(vec![step]) } else { steps_into(step, value, at) }
    })
}

/// The way to `at` through `value`, which `step` leads to.
fn steps_into(step: Step, value: &Spanned<DeValue<'_>>, at: &Range<usize>) -> Option<Vec<Step>> {
    if value.span() == *at {
        return Some(vec![step]);
    }
    let rest = match value.get_ref() {
        DeValue::Table(table) => steps_to(table, at),
        DeValue::Array(entries) => {
            entries.iter().enumerate().find_map(|(index, entry)| steps_into(Step::Entry(index), entry, at))
        }
        _ => None,
    };
    rest.map(|rest| [vec![step], rest].concat())
}

/// Where the table begins that holds the last of `steps`, and where the target or toolset is that it belongs to.
fn surroundings(document: &DeTable<'_>, steps: &[Step]) -> (usize, Option<Range<usize>>) {
    let mut start = ROOT.start;
    let mut target = None;
    let mut here: Option<&Spanned<DeValue<'_>>> = None;
    for (depth, step) in steps.iter().enumerate() {
        start = here.map_or(ROOT.start, |here| here.span().start);
        here = match (here.map(Spanned::get_ref), step) {
            (None, Step::Key(key)) => document.get(key.as_str()),
            (Some(value), Step::Key(key)) => value.get(key.as_str()),
            (Some(value), Step::Entry(index)) => value.get(*index),
            (None, Step::Entry(_)) => None,
        };
        if depth == 1 && matches!(&steps[0], Step::Key(key) if key == "targets" || key == "toolsets") {
            target = here.map(Spanned::span);
        }
    }
    (start, target)
}

/// Takes the member at the end of `steps` out of `table`.
fn take<'i>(table: &mut DeTable<'i>, steps: &[Step]) -> Option<Spanned<DeValue<'i>>> {
    match steps {
        [Step::Key(key)] => table.remove(key.as_str()),
        [Step::Key(key), rest @ ..] => take_from(table.get_mut(key.as_str())?, rest),
        _ => None,
    }
}

fn take_from<'i>(value: &mut Spanned<DeValue<'i>>, steps: &[Step]) -> Option<Spanned<DeValue<'i>>> {
    match (value.get_mut(), steps) {
        (DeValue::Table(table), _) => take(table, steps),
        (DeValue::Array(entries), [Step::Entry(index)]) => {
            let entry = entries.get(*index).cloned();
            *entries = entries.iter().enumerate().filter(|(at, _)| at != index).map(|(_, it)| it.clone()).collect();
            entry
        }
        (DeValue::Array(entries), [Step::Entry(index), rest @ ..]) => take_from(entries.get_mut(*index)?, rest),
        _ => None,
    }
}
