//! What the clients of an endpoint will not take of what it lists: names that are too long or hold characters that models refuse,
//! more tools than they use, tools without a description. Changes nothing; `merge.rs` shortens names.

use std::fmt;

use super::{Catalog, Kind, Problem};
use crate::{
    name::{Audience, Profile},
    wire::ObjectEdit,
};

/// A name that is too long for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    pub client: Profile,
    /// What the client puts before it.
    pub prefix: String,
    /// Characters of both together.
    pub characters: usize,
    /// Characters that the client takes.
    pub most: usize,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, prefix, characters, most } = self;
        let beyond = client.budget().beyond;
        write!(f, "{client} takes {most} characters, and `{prefix}` before it makes it {characters} ({beyond})")
    }
}

/// Several of them, as a part of a sentence.
pub(super) struct Excesses<'a>(pub(super) &'a [Excess]);

impl fmt::Display for Excesses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join("; "))
    }
}

/// Clients by their names, with commas between them.
pub(super) struct Clients<'a>(pub(super) &'a [Profile]);

impl fmt::Display for Clients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

impl Catalog {
    /// The same with problems for what `audience` will not take of it. `endpoint` is how people call what they connect to.
    pub fn judged(mut self, endpoint: &str, audience: &Audience) -> Self {
        let Some(fit) = audience.fit() else { return self };
        let mut problems = Vec::new();
        for (at, named) in self.names[Kind::Tools].iter().enumerate() {
            let shown = named.shown();
            let Ok(route) = self.route(Kind::Tools, shown) else { continue };
            let target = &route.first().target;
            let of = |short: String| (target.clone(), shown.to_owned(), short);
            let excesses: Vec<Excess> =
                audience.profiles.iter().filter_map(|it| excess(*it, audience, shown)).collect();
            if !excesses.is_empty() {
                let (target, name, short) = of(fit.shorten(&named.full));
                problems.push(Problem::TooLong { target, name, excesses, short });
            }
            let refuse: Vec<Profile> =
                audience.profiles.iter().copied().filter(|it| it.refused(shown).next().is_some()).collect();
            if let Some(first) = refuse.first() {
                let refused = first.refused(shown).collect();
                let (target, name, short) = of(fit.shorten(&named.full));
                problems.push(Problem::Characters { target, name, refused, clients: refuse, short });
            }
            let wanting = audience.profiles.iter().find(|profile| profile.budget().wants_description);
            if let Some(client) = wanting.filter(|_| !self.is_described(at)) {
                problems.push(Problem::Undescribed { target: target.clone(), name: shown.to_owned(), client: *client });
            }
        }
        let count = self.list(Kind::Tools).len();
        for client in &audience.profiles {
            if let Some((most, beyond)) = client.budget().tools.filter(|(most, _)| count > *most) {
                let endpoint = endpoint.to_owned();
                problems.push(Problem::TooMany { endpoint, count, client: *client, most, beyond });
            }
        }
        self.problems.extend(problems);
        self
    }

    /// Whether the tool at this place of the list has a description.
    fn is_described(&self, at: usize) -> bool {
        let entry = ObjectEdit::parse(self.list(Kind::Tools).text(at)).ok();
        let description = entry.as_ref().and_then(|entry| entry.get("description"));
        description.is_some_and(|text| !matches!(text, "null" | r#""""#))
    }
}

fn excess(client: Profile, audience: &Audience, name: &str) -> Option<Excess> {
    let (prefix, most) = (client.prefix(&audience.server), client.budget().characters);
    let characters = prefix.chars().count() + name.chars().count();
    (characters > most).then_some(Excess { client, prefix, characters, most })
}
