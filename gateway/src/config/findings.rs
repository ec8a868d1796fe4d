//! Collects mistakes while a config.toml is read, and keeps one mistake from being reported twice. Decides nothing about
//! what is a mistake.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    path::Path,
};

use super::mistake::{Mistake, Mistakes, Subject};

/// Stands for the place of the file's own table, which has no header: no other table begins here.
pub(super) const ROOT: Range<usize> = usize::MAX..usize::MAX;

/// What was found so far.
#[derive(Debug)]
pub(super) struct Findings {
    lines: Lines,
    mistakes: Vec<Mistake>,
    /// Members that are in the file but were taken out for their shape: the start of their table, their name.
    taken_out: HashSet<(usize, String)>,
    /// Targets and toolsets, by the start of their table.
    subjects: HashMap<usize, Subject>,
    /// What is reported now concerns this one.
    subject: Option<Subject>,
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line that holds this byte, counted from 1.
    fn number(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at)
    }
}

impl Findings {
    pub(super) fn new(lines: Lines) -> Self {
        let (mistakes, taken_out, subjects) = Default::default();
        Self { lines, mistakes, taken_out, subjects, subject: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// What follows concerns the target or toolset whose table starts here, or none.
    pub(super) fn concern(&mut self, subject: Option<&Range<usize>>) {
        self.subject = subject.and_then(|at| self.subjects.get(&at.start).cloned());
    }

    /// Remembers what the table that starts at `at` describes.
    pub(super) fn name_subject(&mut self, at: usize, subject: Subject) {
        self.subjects.insert(at, subject);
    }

    /// A mistake at a place.
    pub(super) fn report(&mut self, at: &Range<usize>, message: impl Into<String>) {
        let line = Some(self.line(at));
        self.mistakes.push(Mistake { line, subject: self.subject.clone(), message: message.into() });
    }

    /// A mistake of the file as a whole.
    pub(super) fn report_for_file(&mut self, message: impl Into<String>) {
        self.mistakes.push(Mistake { line: None, subject: self.subject.clone(), message: message.into() });
    }

    /// Remembers that `member` of the table at `table` is there, though it was taken out.
    pub(super) fn take_out(&mut self, table: usize, member: &str) {
        self.taken_out.insert((table, member.into()));
    }

    /// Whether one of `members` of the table at `table` was taken out, so that its absence is no mistake of its own.
    pub(super) fn took_out(&self, table: &Range<usize>, members: &[&str]) -> bool {
        members.iter().any(|member| self.taken_out.contains(&(table.start, (*member).into())))
    }

    /// Whether any member of the table at `table` was taken out.
    pub(super) fn took_any(&self, table: &Range<usize>) -> bool {
        self.taken_out.iter().any(|(start, _)| *start == table.start)
    }

    /// The line of a place, counted from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        self.lines.number(at.start)
    }

    pub(super) fn into_mistakes(self, path: &Path) -> Mistakes {
        Mistakes::sorted(path, self.mistakes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let lines = Lines::of("ab\n\nc");
        let numbers: Vec<usize> = (0..5).map(|at| lines.number(at)).collect();
        assert_eq!(numbers, [1, 1, 1, 2, 3]);
        assert_eq!(Lines::of("").number(0), 1);
    }
}
