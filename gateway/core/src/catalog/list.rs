//! One merged list: a JSON array that was written once, and where its entries stand in it, so that pages are slices of it.

use aws_lc_rs::digest;
use bytes::Bytes;

/// All entries of one kind.
#[derive(Clone, Debug)]
pub struct List {
    json: Bytes,
    /// Where each entry ends in `json`.
    ends: Vec<usize>,
    /// The first entry of each target that has entries, but for the first target.
    breaks: Vec<usize>,
    /// The least that a target said, in milliseconds.
    ttl_ms: Option<u64>,
    private: bool,
    digest: u64,
}

/// How a list is cut into pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// One page.
    #[default]
    Whole,
    /// So many entries a page, at least one.
    Entries(usize),
    /// The entries of one target a page, as AgentCore cuts.
    Target,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Entries with commas between them, without brackets.
    pub entries: Bytes,
    /// Where the next page starts; none after the last.
    pub next: Option<usize>,
}

/// Writes a list.
#[derive(Debug)]
pub(super) struct Writer {
    json: Vec<u8>,
    ends: Vec<usize>,
    breaks: Vec<usize>,
    ttl_ms: Option<u64>,
    private: bool,
}

impl Default for List {
    /// An empty array, which is a list too.
    fn default() -> Self {
        Writer::new().finish()
    }
}

impl List {
    /// The whole list as a JSON array.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The least time that a target said its part may be taken as fresh, in milliseconds.
    pub fn ttl_ms(&self) -> Option<u64> {
        self.ttl_ms
    }

    /// Whether a target said that its part is for who asked alone.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Another number for another content: the same in every process that merged the same.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The page that starts with the entry at `from`, counted from 0; none where no page starts.
    pub fn page(&self, from: usize, paging: Paging) -> Option<Slice> {
        if from > 0 && from >= self.len() {
            return None;
        }
        let to = match paging {
            Paging::Whole => self.len(),
            Paging::Entries(most) => from.saturating_add(most.max(1)).min(self.len()),
            Paging::Target => self.breaks.iter().copied().find(|start| *start > from).unwrap_or(self.len()),
        };
        let next = (to < self.len()).then_some(to);
        let entries = match to.checked_sub(1) {
            Some(last) => self.json.slice(self.start(from)..self.ends[last]),
            None => Bytes::new(),
        };
        Some(Slice { entries, next })
    }

    /// A number for the entry before the one at `at`, by which the place is found again once the list has changed.
    pub fn mark(&self, at: usize) -> u64 {
        at.checked_sub(1).filter(|before| *before < self.len()).map_or(0, |before| number(self.entry(before)))
    }

    /// The entry after the one with this mark; none where that is in the list no more, as it was.
    pub fn after(&self, mark: u64) -> Option<usize> {
        (0..self.len()).find(|entry| number(self.entry(*entry)) == mark).map(|entry| entry + 1)
    }

    /// The text of an entry, counted from 0.
    pub(super) fn text(&self, entry: usize) -> &str {
        std::str::from_utf8(self.entry(entry)).expect("entries are written as text")
    }

    /// Whether the entry, counted from 0, is the first of its target, and of another than the one before.
    pub(super) fn begins_target(&self, entry: usize) -> bool {
        self.breaks.binary_search(&entry).is_ok()
    }

    fn entry(&self, entry: usize) -> &[u8] {
        &self.json[self.start(entry)..self.ends[entry]]
    }

    /// Where an entry starts: after the comma that follows the one before, or after the bracket.
    fn start(&self, entry: usize) -> usize {
        entry.checked_sub(1).map_or(0, |before| self.ends[before]) + 1
    }
}

impl Writer {
    pub(super) fn new() -> Self {
        let (ends, breaks) = Default::default();
        Self { json: b"[".into(), ends, breaks, ttl_ms: None, private: false }
    }

    /// What a page of a target says about how long and for whom it may be kept.
    pub(super) fn hints(&mut self, ttl_ms: Option<u64>, private: bool) {
        self.ttl_ms = [self.ttl_ms, ttl_ms].into_iter().flatten().min();
        self.private |= private;
    }

    /// The next entries are another target's.
    pub(super) fn next_target(&mut self) {
        let at = self.ends.len();
        if at > 0 && self.breaks.last() != Some(&at) {
            self.breaks.push(at);
        }
    }

    /// One more entry, JSON text.
    pub(super) fn push(&mut self, entry: &str) {
        if !self.ends.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(entry.as_bytes());
        self.ends.push(self.json.len());
    }

    pub(super) fn finish(mut self) -> List {
        self.json.push(b']');
        let digest = number(&self.json);
        let Self { json, ends, breaks, ttl_ms, private } = self;
        List { json: json.into(), ends, breaks, ttl_ms, private, digest }
    }
}

/// The first eight bytes of the SHA-256 of `bytes`.
fn number(bytes: &[u8]) -> u64 {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A list of targets with so many entries each.
    fn list(targets: &[usize]) -> List {
        let mut writer = Writer::new();
        for (target, entries) in targets.iter().enumerate() {
            writer.next_target();
            (0..*entries).for_each(|entry| writer.push(&format!(r#"{{"name":"{target}, {entry}"}}"#)));
        }
        writer.finish()
    }

    #[test]
    fn a_place_is_found_again_in_a_list_that_has_changed() {
        let (before, after) = (list(&[2, 2]), list(&[3, 2]));
        let mark = before.mark(3);
        assert_eq!((before.after(mark), after.after(mark)), (Some(3), Some(4)));
        assert_eq!(list(&[2]).after(mark), None);
    }

    /// The entries of each page, as numbers of entries.
    fn pages(list: &List, paging: Paging) -> Vec<usize> {
        let mut pages = Vec::new();
        let mut at = Some(0);
        while let Some(from) = at {
            let page = list.page(from, paging).unwrap();
            let entries: Vec<serde_json::Value> =
                serde_json::from_slice(&[b"[", &page.entries[..], b"]"].concat()).unwrap();
            pages.push(entries.len());
            at = page.next;
        }
        pages
    }

    #[test]
    fn a_page_holds_an_entry_or_is_the_last() {
        assert_eq!(pages(&list(&[2, 0, 3, 0]), Paging::Target), [2, 3]);
        assert_eq!(pages(&list(&[0, 1]), Paging::Target), [1]);
        assert_eq!(pages(&list(&[2, 3]), Paging::Entries(2)), [2, 2, 1]);
        assert_eq!(pages(&list(&[2, 3]), Paging::Entries(5)), [5]);
        assert_eq!(pages(&list(&[2, 3]), Paging::Whole), [5]);
        for paging in [Paging::Whole, Paging::Entries(1), Paging::Target] {
            assert_eq!(pages(&list(&[0]), paging), [0]);
            assert_eq!(list(&[2]).page(2, paging), None);
        }
    }

    #[test]
    fn another_content_has_another_digest() {
        assert_eq!(list(&[1, 2]).digest(), list(&[1, 2]).digest());
        assert_ne!(list(&[1, 2]).digest(), list(&[2, 1]).digest());
        assert_eq!(List::default().json(), "[]");
    }

    proptest! {
        #[test]
        fn pages_are_the_whole_list(targets in proptest::collection::vec(0usize..5, 0..6), most in 1usize..7) {
            let list = list(&targets);
            for paging in [Paging::Whole, Paging::Entries(most), Paging::Target] {
                let mut joined = Vec::new();
                let mut at = Some(0);
                while let Some(page) = at.map(|from| list.page(from, paging).unwrap()) {
                    joined.push(page.entries);
                    at = page.next;
                }
                prop_assert!(joined.len() == 1 || joined.iter().all(|page| !page.is_empty()));
                prop_assert_eq!([b"[", &joined.join(&b","[..])[..], b"]"].concat(), list.json().to_vec());
            }
        }
    }
}
