//! The table of attacks in docs/security.md names a test for each, and each is there.

use std::{fs, path::Path};

/// A test is named as `file::name` in backticks, the file from the repository on.
#[test]
fn each_attack_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let (_, table) = text.split_once("## Attacks\n").expect("docs/security.md has a chapter `Attacks`");
    let table = table.split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> = table.lines().filter(|line| line.starts_with("| ")).map(cells).collect();
    let rows: Vec<_> = rows.into_iter().filter(|cells| cells[0] != "attack").collect();
    assert!(rows.len() > 40, "the table has {} rows", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let [attack, stopped_by, tests] = row[..] else { panic!("a row has three cells: {row:?}") };
        assert!(!stopped_by.is_empty(), "{attack}");
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
        if named.is_empty() {
            wrong.push(format!("{attack}: it names no test"));
        }
        wrong.extend(
            named
                .into_iter()
                .filter(|name| !is_there(&root, name))
                .map(|name| format!("{attack}: there is no `{name}`")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cells(row: &str) -> Vec<&str> {
    row.trim().trim_matches('|').split(" | ").map(str::trim).collect()
}

/// Whether the file has such a function, and it is a test.
fn is_there(root: &Path, name: &str) -> bool {
    let (file, test) = name.rsplit_once("::").unwrap();
    let Ok(text) = fs::read_to_string(root.join(file)) else { return false };
    let Some((before, _)) = text.split_once(&format!("fn {test}(")) else { return false };
    let since_last =
        before.rsplit_once("\n}").or_else(|| before.rsplit_once("    }\n")).map_or(before, |(_, since)| since);
    ["#[test]", "#[tokio::test", "proptest!"].iter().any(|mark| since_last.contains(mark))
}
