//! Every input that was worth keeping is tried again: what broke a parser once does not a second time.

use std::{collections::BTreeSet, fs, path::Path};

use causeway_properties::{ALL, Property};

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

#[test]
fn what_was_kept_holds() {
    for (name, check) in ALL {
        let mut tried = 0;
        for entry in fs::read_dir(corpus().join(name)).unwrap_or_else(|why| panic!("`{name}` has no inputs: {why}")) {
            let path = entry.unwrap().path();
            let input = fs::read(&path).unwrap();
            let kept = std::panic::catch_unwind(|| check(&input));
            assert!(kept.is_ok(), "{} breaks `{name}`", path.display());
            tried += 1;
        }
        assert!(tried > 2, "`{name}` has {tried} inputs");
    }
}

/// The searchers, the inputs and the properties have the same names.
#[test]
fn each_property_is_searched() {
    let names: BTreeSet<String> = ALL.iter().map(|(name, _): &Property| (*name).to_owned()).collect();
    let directory = |path: std::path::PathBuf| -> BTreeSet<String> {
        let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(directory(corpus()), names);
    assert_eq!(directory(corpus().join("../fuzz_targets")), names);
    let manifest = fs::read_to_string(corpus().join("../Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "`{name}` is no program of fuzz/Cargo.toml");
    }
}
