//! Names of tasks within messages, and the capability that goes with them.

use causeway_core::canonical::tasks;

use crate::{input, json};

/// Capabilities in a line, and then a result or parameters.
///
/// Names that are replaced and replaced back leave the same text; nothing is replaced unasked; declaring and undeclaring the
/// extension changes nothing else.
pub fn check(data: &[u8]) {
    let Some(([capabilities], object)) = input::texts(data) else { return };
    assert_eq!(tasks::renamed(object, &|_| None), None, "nobody gave another name");
    if let Some(renamed) = tasks::renamed(object, &|name| Some(["~", name].concat())) {
        assert!(json::is_json(&renamed));
        let back =
            tasks::renamed(&renamed, &|name| name.strip_prefix('~').map(str::to_owned)).expect("a name is there");
        if let (Some(before), Some(after)) = (json::value(object), json::value(&back)) {
            assert_eq!(before, after, "there and back it is another");
        }
    }
    let declared = tasks::declared(capabilities);
    assert!(tasks::known_by(&declared), "{declared} does not declare it");
    let undeclared = tasks::undeclared(&declared);
    assert!(!tasks::known_by(&undeclared), "{undeclared} declares it");
    assert_eq!(tasks::undeclared(&undeclared), undeclared);
    let (Some(before), Some(after)) = (json::object(capabilities), json::object(&undeclared)) else { return };
    let [before, after] = [&before, &after].map(|all| all.iter().filter(|(key, _)| *key != "extensions"));
    assert!(before.eq(after), "another capability changed");
}
