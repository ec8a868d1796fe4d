//! Results as people read them: docs/benchmarks.md and its pictures. The words of the document are in `report/benchmarks.md`, the
//! figures are put where it names them.

mod pictures;
mod tables;

use std::{fs, path::Path};

use anyhow::{Context, ensure};

use crate::{goals::goals, results::Results};

const DOCUMENT: &str = include_str!("report/benchmarks.md");

/// Writes `benchmarks.md` and `pictures/benchmarks-*.svg` into `docs`.
///
/// # Errors
/// A file cannot be written.
pub fn write(results: &Results, docs: &Path) -> anyhow::Result<()> {
    let file = docs.join("benchmarks.md");
    fs::write(&file, document(results)?).with_context(|| format!("`{}` cannot be written", file.display()))?;
    let pictures = docs.join("pictures");
    fs::create_dir_all(&pictures)?;
    pictures::write(results, &pictures)
}

/// What was to be reached, as a table.
pub fn goals_table(results: &Results) -> String {
    tables::goals(&goals(results))
}

fn document(results: &Results) -> anyhow::Result<String> {
    let mut text = DOCUMENT.to_owned();
    for (place, table) in [
        ("machine", tables::machine(results)),
        ("goals", goals_table(results)),
        ("forms", tables::forms(results)),
        ("calls", tables::calls(results)),
        ("peers", tables::peers(results)),
        ("catalogs", tables::catalogs(results)),
        ("memory", tables::memory(results)),
        ("starts", tables::starts(results)),
        ("streaming", tables::streaming(results)),
        ("allocations", tables::allocations(results)),
        ("left-out", tables::left_out(results)),
    ] {
        let place = format!("<!-- {place} -->\n");
        ensure!(text.contains(&place), "the document has no place `{}`", place.trim());
        text = text.replace(&place, &table);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_place_in_the_document() {
        let text = document(&Results::default()).unwrap();
        let places: Vec<&str> = text.lines().filter(|line| line.starts_with("<!-- ")).collect();
        assert_eq!(places, [""; 0]);
    }
}
