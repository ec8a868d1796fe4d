//! Who may know whom: a source file names only modules that stand before its own in a fixed order, so that no part of the
//! product depends on what is built upon it. Looks at the text of the sources, not at what it means.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Of the gateway. `child` stands where its first user needs it; `telemetry`, `shutdown` and `identity_provider` are for the
/// commands alone; `parsers` is for tests.
const GATEWAY: &str = "secret opaque headers arguments address config child shared stored session_keys metrics inbound login calls replicas rates \
                       credentials targets discovery snapshot gateway error front http stdio lambda serve clients reload admin export app \
                       peer telemetry shutdown identity_provider import deploy cli parsers";

/// Of what does no IO.
const CORE: &str = "nearest wire trace era name authorizer canonical catalog seal";

#[test]
fn the_gateway_is_layered() {
    check("src", GATEWAY);
}

#[test]
fn the_core_is_layered() {
    check("core/src", CORE);
}

/// Checks the sources in `directory`, whose modules must be those of `order` and no others.
fn check(directory: &str, order: &str) {
    let order: Vec<&str> = order.split_whitespace().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let files = sources(&root);
    let mut modules: Vec<&str> = files.iter().filter_map(|file| module(&root, file)).collect();
    modules.sort_unstable();
    modules.dedup();
    let mut expected = order.clone();
    expected.sort_unstable();
    assert_eq!(modules, expected, "a new module of `{directory}` needs its place in the order");
    let rank = |name: &str| order.iter().position(|module| *module == name);
    let mut broken = Vec::new();
    for file in &files {
        let Some(own) = module(&root, file) else { continue };
        let text = fs::read_to_string(file).unwrap();
        let later = named_modules(&text).into_iter().filter(|name| rank(name) > rank(own));
        broken.extend(later.map(|name| format!("{} names `{name}`, which stands after `{own}`", file.display())));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Every source file under `directory`, but for those that are tests as a whole.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    };
    let files = entries.flat_map(of).filter(|file| file.extension().is_some_and(|it| it == "rs"));
    files.filter(|file| !file.ends_with("tests.rs")).collect()
}

/// The module directly under the crate's root that `file` belongs to; none for the root itself.
fn module<'a>(root: &Path, file: &'a Path) -> Option<&'a str> {
    let first = file.strip_prefix(root).unwrap().components().next().unwrap();
    let name = first.as_os_str().to_str().unwrap();
    let name = name.strip_suffix(".rs").unwrap_or(name);
    (!["lib", "main"].contains(&name)).then_some(name)
}

/// The modules of its own crate that the code in `text` names by `crate::`, tests and comments aside.
fn named_modules(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.flat_map(|line| [line, "\n"]).collect();
    let paths = code.match_indices("crate::").filter(|(at, _)| !code[..*at].ends_with(['$', '_']));
    paths.flat_map(|(at, path)| first_segments(&code[at + path.len()..])).collect()
}

/// The first segments of a path, or of each path in a group `{a::B, c}`.
fn first_segments(path: &str) -> Vec<String> {
    let segment = |path: &str| {
        let path = path.trim_start();
        path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![segment(path)] };
    let mut depth = 0;
    let mut members = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => members.push(String::new()),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                members.last_mut().unwrap().push(c);
            }
        }
    }
    members.iter().map(|member| segment(member)).filter(|name| !name.is_empty()).collect()
}

#[test]
fn names_are_found_in_every_spelling() {
    let text = "
        use crate::one::Thing;
        use crate::{
            two::{A, B, c::D},
            three,
            four::*,
        };
        // crate::comment
        pub(crate) fn f() -> crate::five::Thing { crate::six::f() }
        #[cfg(test)]\nmod tests { use crate::seven; }
    "
    .replace("        ", "");
    assert_eq!(named_modules(&text), ["one", "two", "three", "four", "five", "six"]);
}
