//! Merging the lists of all targets into one catalog: names joined, order fixed, everything else as the target sent it.

use std::{collections::hash_map::Entry, sync::Arc};

use super::{Catalog, Page, Problem, Route, Tool};
use crate::{
    name::TargetName,
    wire::{ObjectEdit, json},
};

/// Merges what each target listed, in the order given.
pub fn merge<'a>(targets: impl IntoIterator<Item = (&'a TargetName, &'a [Page])>) -> Catalog {
    let mut catalog = Catalog::default();
    let mut tools = Vec::from(*b"[");
    for (target, pages) in targets {
        for page in pages {
            let nameless = (0..page.nameless).map(|_| Problem::Nameless { target: target.clone() });
            catalog.problems.extend(nameless);
            for tool in &page.tools {
                add(&mut catalog, &mut tools, target, tool);
            }
        }
    }
    tools.push(b']');
    catalog.tools = tools.into();
    catalog
}

fn add(catalog: &mut Catalog, tools: &mut Vec<u8>, target: &TargetName, tool: &Tool) {
    let merged = target.join(&tool.name);
    let Ok(mut entry) = ObjectEdit::parse(&tool.json) else {
        // A page holds only entries that were read as objects.
        return;
    };
    entry.set("name", &json(&merged));
    match catalog.routes.entry(merged) {
        Entry::Occupied(_) => {
            catalog.problems.push(Problem::Duplicate { target: target.clone(), name: tool.name.clone() });
        }
        Entry::Vacant(route) => {
            if tools.len() > 1 {
                tools.push(b',');
            }
            tools.extend_from_slice(entry.finish().as_bytes());
            route.insert(Route { target: target.clone(), name: Arc::from(tool.name.as_str()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(result: &str) -> [Page; 1] {
        [Page::parse(result).unwrap()]
    }

    #[test]
    fn lists_are_joined_in_order_and_only_names_change() {
        let (b, a): (TargetName, TargetName) = ("b".parse().unwrap(), "a".parse().unwrap());
        let of_b = page(r#"{"tools":[{"name":"z","execution":{"vendor":0.1}},{"name":"y"}]}"#);
        let of_a = page(r#"{"tools":[{ "title":"T","name" : "x___y" }]}"#);
        let catalog = merge([(&b, &of_b[..]), (&a, &of_a[..])]);
        assert_eq!(
            catalog.tools(),
            r#"[{"name":"b___z","execution":{"vendor":0.1}},{"name":"b___y"},{ "title":"T","name" : "a___x___y" }]"#
        );
        assert_eq!(catalog.route("a___x___y"), Ok(&Route { target: a, name: "x___y".into() }));
        assert_eq!(catalog.route("b___x").unwrap_err().to_string(), "Unknown tool: b___x");
        assert_eq!(catalog.len(), 3);
    }

    #[test]
    fn what_is_left_out_is_said() {
        let t: TargetName = "t".parse().unwrap();
        let catalog = merge([(&t, &page(r#"{"tools":[{"name":"a","v":1},{"name":"a","v":2},{}]}"#)[..])]);
        assert_eq!(catalog.tools(), r#"[{"name":"t___a","v":1}]"#);
        let problems: Vec<String> = catalog.problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "target `t` lists a tool without a name: it is left out",
                "target `t` lists the tool `a` more than once: the first one counts",
            ]
        );
    }
}
