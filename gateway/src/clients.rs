//! The programs that use a gateway, and the entry of the gateway in their configuration files: where the file is, what belongs
//! into it, and how to put it there without touching anything else. Reaches nobody, and prints nothing.

mod document;
mod entry;
mod held;
mod link;
mod masked;
mod merge;
mod place;
mod profile;

pub use self::{
    document::{Document, Misshapen, NotJsonc},
    entry::{Auth, Entry, VariableName, Wish, Wrong, secret_like},
    held::{Held, HeldError, Replaced},
    link::{command, link, quoted},
    masked::masked,
    merge::{Foreign, MergeError, merge, remove},
    place::{NoPlace, Os, Scope, Surroundings, place},
    profile::{Client, Facts, Variable},
};

/// What a client calls a gateway of this name, if its user says nothing else: letters, digits and single hyphens, 64 at most.
pub fn server_name(gateway: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { ' ' };
    let words: String = gateway.chars().map(fits).collect();
    let slug = words.split_whitespace().collect::<Vec<_>>().join("-");
    match slug.is_empty() {
        true => "causeway".into(),
        false => slug.chars().take(64).collect(),
    }
}
