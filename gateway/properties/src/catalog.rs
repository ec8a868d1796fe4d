//! Pages of lists from targets, merged into a catalog, cut into pages and into parts.

use std::sync::Arc;

use causeway_core::{
    catalog::{
        Catalog, Edits, Kind, List, Lists, Names, Naming, Offer, Page, Paging, PerKind, Shown, capabilities, merge,
    },
    name::{Fit, Pattern, Selection, TargetName},
    wire::ObjectEdit,
};
use serde_json::Value;

use crate::{input, json};

/// A letter for the kind and a size of pages, a pattern, and the first target's page, each in a line, and then the second target's.
///
/// Whatever targets list, the merged list is JSON, its pages in a row are the list, each entry has a route to a target that listed
/// it, no name is there twice, and a part holds nothing that its pattern does not let through.
pub fn check(data: &[u8]) {
    let Some(([head, pattern, first], second)) = input::texts(data) else { return };
    let kind = match head.bytes().next() {
        Some(b'p') => Kind::Prompts,
        Some(b'r') => Kind::Resources,
        Some(b'u') => Kind::Templates,
        _ => Kind::Tools,
    };
    let size = head.as_bytes().get(1).copied().map_or(1, usize::from);
    let pages = [first, second].map(|text| Page::parse(kind, text));
    for (page, text) in pages.iter().zip([first, second]) {
        let Ok(page) = page else { continue };
        let listed = json::object(text).and_then(|result| Some(result.get(kind.member())?.as_array()?.len()));
        assert!(listed.is_none_or(|listed| listed == page.entries.len() + page.keyless), "an entry went lost");
    }
    capabilities_of(first, second);
    let names: [TargetName; 2] = ["a", "b-2"].map(|name| name.parse().expect("a name"));
    let lists = pages.map(|page| {
        let pages: Option<Arc<[Page]>> = page.ok().map(|page| Arc::from([page]));
        let mut lists: Lists = PerKind::default();
        lists[kind] = pages;
        lists
    });
    let edits = Edits::default();
    let plain = if size % 2 == 0 { Names::Plain } else { Names::Prefixed };
    for shorten in [None, Some(Fit { most: 32 })] {
        let offers: Vec<Offer<'_>> = names
            .iter()
            .zip(&lists)
            .map(|(target, lists)| Offer {
                target,
                resource_priority: 1000,
                has_resources: true,
                is_gateway: size % 3 == 0,
                standby: &[],
                edits: &edits,
                lists,
                places: &[],
            })
            .collect();
        let catalog = merge(Naming { names: plain, shorten }, &offers);
        let list = catalog.list(kind);
        pages_of(list, size);
        let text = std::str::from_utf8(list.json()).expect("a list is text");
        let keys = keys_of(text, kind);
        assert_eq!(keys.len(), list.len());
        for key in &keys {
            let route = catalog.route(kind, key).expect("an entry leads nowhere");
            let path = route.paths.first().expect("a route has a path");
            let of_target = lists[names.iter().position(|name| *name == path.target).expect("a target")][kind].as_ref();
            let is_listed = of_target
                .is_some_and(|pages| pages.iter().flat_map(|page| &page.entries).any(|entry| entry.key == *path.name));
            assert!(is_listed, "`{key}` leads to what nobody lists");
        }
        let distinct: std::collections::HashSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "a name is listed twice");
        part(&catalog, kind, pattern, shorten.is_none());
        let _ = catalog.problems().iter().map(ToString::to_string).collect::<Vec<_>>();
    }
}

/// As a client reads them: of a member that stands twice the last counts.
fn keys_of(list: &str, kind: Kind) -> Vec<String> {
    let entries: Vec<&serde_json::value::RawValue> = serde_json::from_str(list).expect("a merged list is no JSON");
    let key = |entry: &&serde_json::value::RawValue| {
        let key = ObjectEdit::parse(entry.get()).expect("an entry is an object").get(kind.key())?.to_owned();
        serde_json::from_str(&key).ok()
    };
    entries.iter().filter_map(key).collect()
}

/// Pages, one after the other, are the list; a place is found again by its mark.
fn pages_of(list: &List, size: usize) {
    for paging in [Paging::Whole, Paging::Entries(size), Paging::Target] {
        let (mut at, mut pages, mut most) = (Some(0), Vec::new(), list.len() + 1);
        while let Some(from) = at {
            let page = list.page(from, paging).expect("a page that was promised is not there");
            assert!(page.next.is_none_or(|next| next > from), "a client would read the same page again");
            if let Some(next) = page.next {
                assert!(
                    list.after(list.mark(next)).is_some_and(|found| found <= next),
                    "the place of a cursor is not found"
                );
            }
            pages.push(page.entries);
            at = page.next;
            most = most.checked_sub(1).expect("the pages do not end");
        }
        let pages: Vec<&[u8]> = pages.iter().map(AsRef::as_ref).collect();
        assert_eq!([&b"["[..], &pages.join(&b','), b"]"].concat(), list.json().as_ref(), "the pages are not the list");
        assert!(
            [list.len() + 1, usize::MAX].iter().all(|wild| list.page(*wild, paging).is_none() && list.mark(*wild) == 0)
        );
    }
}

/// `is_full`: entries are listed under the names by which a part chooses them.
fn part(catalog: &Catalog, kind: Kind, pattern: &str, is_full: bool) {
    let selection = Some(Selection { include: vec![Pattern::new(pattern)], exclude: Vec::new() });
    let shown = Shown { tools: selection.clone(), prompts: selection.clone(), resources: selection };
    let part = catalog.part(&shown);
    let whole = std::str::from_utf8(catalog.list(kind).json()).expect("text");
    let of_part = std::str::from_utf8(part.list(kind).json()).expect("text");
    let (whole, keys) = (keys_of(whole, kind), keys_of(of_part, kind));
    assert!(keys.iter().all(|key| whole.contains(key)), "a part holds what the whole does not");
    for key in &whole {
        assert_eq!(
            part.route(kind, key).is_ok(),
            keys.contains(key),
            "`{key}` is hidden and reached, or shown and not reached"
        );
    }
    if is_full {
        let chosen = whole.iter().filter(|key| shown.shows(kind, key));
        assert!(chosen.eq(keys.iter()), "a part is not what its pattern lets through");
    }
}

/// What targets declare, joined, is an object that a client can read.
fn capabilities_of(first: &str, second: &str) {
    let serves = capabilities::Serves { list_changed: true, subscribe: true, logging: true, tasks: true };
    let union = capabilities::union(&[first, second], &Default::default(), serves);
    assert!(json::is_json(&union), "{union} is no JSON");
    if let (Some(_), Some(_), Some(seen)) = (json::value(first), json::value(second), json::object(&union)) {
        assert!(seen.get("tools").is_some_and(Value::is_object));
    }
    assert!(!capabilities::lists(first).is_empty());
}
