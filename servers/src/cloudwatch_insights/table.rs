//! Plain text tables for a model to read: one line a row, whatever its cells hold. Cuts nothing.

use std::fmt;

/// Cells are padded up to this many characters; a longer one makes its own line longer.
const WIDEST_PADDING: usize = 40;

/// A table of texts.
#[derive(Debug)]
pub(super) struct Table {
    /// The head and then the rows, each with one cell a column.
    lines: Vec<Vec<String>>,
    rewritten: bool,
}

impl Table {
    /// `rows` have as many cells as there are columns.
    pub(super) fn new(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let head = columns.iter().map(|&name| name.to_owned()).collect();
        let mut table = Self { lines: vec![head], rewritten: false };
        for row in rows {
            table.rewritten |= row.iter().any(|cell| cell.trim_end().contains(['\n', '\r', '\t', '|']));
            table.lines.push(row.iter().map(|cell| on_one_line(cell)).collect());
        }
        table
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let longest = self.lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
            longest.min(WIDEST_PADDING)
        };
        (0..self.lines[0].len()).map(width).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
        write_line(f, &self.lines[0], &widths)?;
        write_line(f, &rule, &widths)?;
        for line in &self.lines[1..] {
            write_line(f, line, &widths)?;
        }
        if self.rewritten {
            f.write_str("\n(Line breaks, tabs and `|` in cells are written `\\n`, as a blank and `\\|`.)\n")?;
        }
        Ok(())
    }
}

fn on_one_line(text: &str) -> String {
    text.trim_end().replace('\r', "").replace('\n', "\\n").replace('\t', " ").replace('|', "\\|")
}

fn write_line(f: &mut fmt::Formatter<'_>, line: &[String], widths: &[usize]) -> fmt::Result {
    let cells: Vec<_> = line.iter().zip(widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
    writeln!(f, "{}", cells.join(" | ").trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 2]]) -> String {
        Table::new(&["a", "b"], rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect())).to_string()
    }

    #[test]
    fn lines_up() {
        insta::assert_snapshot!(table(&[["1", "two\n"], ["three", ""]]), @"
        a     | b
        ----- | ---
        1     | two
        three |
        ");
    }

    #[test]
    fn a_long_cell_is_whole_and_a_rewritten_one_is_said() {
        let long = "x".repeat(50);
        let text = table(&[[&long, "1"], ["a | b\r\nc\td", "2"]]);
        assert!(text.contains(&format!("{long} | 1\n")));
        assert!(text.contains("a \\| b\\nc d"), "{text}");
        assert!(text.ends_with("\n(Line breaks, tabs and `|` in cells are written `\\n`, as a blank and `\\|`.)\n"));
    }
}
