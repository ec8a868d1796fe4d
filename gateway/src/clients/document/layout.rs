//! How a file is laid out, and the smallest changes of its text that add, replace or take out one item in the same manner:
//! indentation, line ends, trailing commas. Knows brackets and commas, no keys.

use std::ops::Range;

use serde::Serialize;
use serde_json::{Value, ser::PrettyFormatter};

/// Bytes of a text, and what stands there in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

/// An object or an array.
#[derive(Debug)]
pub(super) struct Container {
    /// With its brackets.
    pub(super) range: Range<usize>,
    /// Its members or elements, in order.
    pub(super) items: Vec<Range<usize>>,
    /// Where the comma after each of them stands, if one does.
    pub(super) commas: Vec<Option<usize>>,
}

/// A text and its habits.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    text: &'a str,
    line_end: &'static str,
    /// One step of indentation.
    step: String,
}

/// Carries out changes that do not overlap.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.range.start);
    let mut text = text.to_owned();
    for Splice { range, text: with } in splices.into_iter().rev() {
        text.replace_range(range, &with);
    }
    text
}

impl<'a> Layout<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        // Not of the lines of a long comment, which stand one space off.
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('*'));
        let indented = lines.map(|line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]);
        let step = indented.filter(|indent| !indent.is_empty()).min_by_key(|indent| indent.len()).unwrap_or("  ");
        Self { text, line_end, step: step.to_owned() }
    }

    /// The first value of a text that has none.
    pub(super) fn whole(&self, value: &Value) -> Splice {
        let end = self.text.len();
        let apart = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { self.line_end };
        Splice { range: end..end, text: [apart, &self.render(value, ""), self.line_end].concat() }
    }

    /// `value` in the place of the one at `range`.
    pub(super) fn replaced(&self, range: &Range<usize>, value: &Value) -> Splice {
        let indent = self.indent_of_line(range.start);
        let inline = !self.text[range.clone()].contains('\n') && !self.starts_line(range.start) && value.is_string();
        let text = if inline { value.to_string() } else { self.render(value, indent) };
        Splice { range: range.clone(), text }
    }

    /// `value` as the last item of `container`, under `key` in an object.
    pub(super) fn added(&self, container: &Container, key: Option<&str>, value: &Value) -> Vec<Splice> {
        let (open, close) = (container.range.start + 1, container.range.end - 1);
        let content_end = open + self.text[open..close].trim_end_matches([' ', '\t', '\r', '\n']).len();
        let key = key.map(|key| format!("{}: ", Value::from(key))).unwrap_or_default();
        let base = self.indent_of_line(container.range.start);
        let last = container.items.last().zip(container.commas.last());
        let inner = match container.items.first() {
            Some(first) if self.starts_line(first.start) => self.indent_of_line(first.start).to_owned(),
            _ => [base, &self.step].concat(),
        };
        let several_lines = last.is_none() || self.text[open..close].contains('\n');
        let item = match several_lines {
            true => [self.line_end, &inner, &key, &self.render(value, &inner)].concat(),
            false => [" ", &key, &value.to_string()].concat(),
        };
        match last {
            None => vec![Splice { range: content_end..close, text: [&item, self.line_end, base].concat() }],
            Some((_, Some(_))) => vec![Splice { range: content_end..content_end, text: item + "," }],
            Some((last, None)) if last.end == content_end => {
                vec![Splice { range: content_end..content_end, text: [",", &item].concat() }]
            }
            Some((last, None)) => vec![
                Splice { range: last.end..last.end, text: ",".into() },
                Splice { range: content_end..content_end, text: item },
            ],
        }
    }

    /// The item number `at` of `container` taken out, with the comma that goes with it and the lines that it had alone.
    pub(super) fn removed(&self, container: &Container, at: usize) -> Vec<Splice> {
        let item = &container.items[at];
        let end = container.commas[at].map_or(item.end, |comma| comma + 1);
        let mut splices = Vec::new();
        if let (None, Some(before)) = (container.commas[at], at.checked_sub(1)) {
            splices
                .extend(container.commas[before].map(|comma| Splice { range: comma..comma + 1, text: String::new() }));
        }
        if container.items.len() == 1 {
            let (open, close) = (container.range.start + 1, container.range.end - 1);
            let rest = [&self.text[open..item.start], &self.text[end..close]].concat();
            if rest.trim().is_empty() {
                return vec![Splice { range: open..close, text: String::new() }];
            }
        }
        let text = self.text;
        let to = end + (text[end..].len() - text[end..].trim_start_matches([' ', '\t']).len());
        let is_last = at + 1 == container.items.len();
        let line_ends = text[to..].starts_with(['\n', '\r']);
        let range = match self.starts_line(item.start) {
            true if is_last && (line_ends || to + 1 == container.range.end) => self.line_end_before(item.start)..end,
            true if line_ends => self.line_end_before(item.start)..to,
            _ if is_last => text[..item.start].trim_end_matches([' ', '\t']).len()..end,
            _ => item.start..to,
        };
        splices.push(Splice { range, text: String::new() });
        splices
    }

    /// Where the line end begins that stands before the line of `at`.
    fn line_end_before(&self, at: usize) -> usize {
        let line_end = self.line_start(at) - 1;
        line_end - usize::from(self.text[..line_end].ends_with('\r'))
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    /// Whether nothing but white space stands before it on its line, and a line before that.
    fn starts_line(&self, at: usize) -> bool {
        let start = self.line_start(at);
        start > 0 && self.text[start..at].trim_matches([' ', '\t']).is_empty()
    }

    fn indent_of_line(&self, at: usize) -> &'a str {
        let line = &self.text[self.line_start(at)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    fn render(&self, value: &Value, indent: &str) -> String {
        let mut out = Vec::new();
        let mut writer =
            serde_json::Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(self.step.as_bytes()));
        value.serialize(&mut writer).expect("a JSON value can be written into memory");
        let text = String::from_utf8(out).expect("JSON text is UTF-8");
        text.replace('\n', &[self.line_end, indent].concat())
    }
}
