//! What a look into a directory of logs left out, and how an answer says so. Finds nothing itself, and names no path: who
//! asks has no business with them.

use std::ops::AddAssign;

/// Counts of what was not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    /// Files with an ending of compressed ones.
    pub(super) packed: usize,
    /// Symbolic links, to folders and to files.
    pub(super) links: usize,
    /// Folders with names that no log group can have.
    pub(super) unnamed: usize,
    /// Folders below the deepest that is looked into.
    pub(super) deep: usize,
    /// Folders that the system does not let be read.
    pub(super) unreadable: usize,
}

impl Skipped {
    /// One sentence for each kind.
    pub(super) fn notes(&self) -> Vec<String> {
        let all = [
            (self.packed, "packed file(s) are not read; unpack them"),
            (self.links, "symbolic link(s) are not followed; mount or copy what they lead to"),
            (self.unnamed, "folder(s) have a name that no log group has (letters, digits and `.-_#`) and are not read"),
            (self.deep, "folder(s) lie too deep and are not read"),
            (self.unreadable, "folder(s) cannot be read; the server's log says why"),
        ];
        let kinds = all.into_iter().filter(|(count, _)| *count > 0);
        kinds.map(|(count, what)| format!("{count} {what}")).collect()
    }
}

impl AddAssign for Skipped {
    fn add_assign(&mut self, other: Self) {
        self.packed += other.packed;
        self.links += other.links;
        self.unnamed += other.unnamed;
        self.deep += other.deep;
        self.unreadable += other.unreadable;
    }
}
