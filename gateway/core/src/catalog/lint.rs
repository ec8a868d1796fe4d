//! What the clients of an endpoint will not take of what it lists: names that are too long or hold characters that models refuse,
//! more tools than they use, tools without a description. Says each of these once an endpoint, however many tools it is about.
//! Changes nothing; `merge.rs` shortens names.

use std::fmt;

use super::{Catalog, Kind, Problem};
use crate::{
    name::{Audience, Fit, Profile, TargetName},
    wire::ObjectEdit,
};

/// Of tools that are one problem together, so many are named.
const NAMED: usize = 5;

/// A tool that clients will not take as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub target: TargetName,
    /// As it is listed.
    pub name: String,
    /// What it would be listed as if names were shortened, where that would help.
    pub short: Option<String>,
}

/// What a client leaves for names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub client: Profile,
    /// What the client puts before them.
    pub prefix: String,
    /// Characters that are left.
    pub most: usize,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.short {
            Some(short) => write!(f, "`{}` ({} characters, in short `{short}`)", self.name, self.name.chars().count()),
            None => write!(f, "`{}`", self.name),
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, prefix, most } = self;
        write!(f, "{client} has room for {most} after `{prefix}` ({})", client.budget().beyond)
    }
}

/// The first few of them, and how many more there are.
pub(super) struct Misfits<'a>(pub(super) &'a [Misfit]);

/// What each client leaves, as a part of a sentence.
pub(super) struct Rooms<'a>(pub(super) &'a [Room]);

/// Clients by their names.
pub(super) struct Clients<'a>(pub(super) &'a [Profile]);

impl fmt::Display for Misfits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(&self.0[..self.0.len().min(NAMED)]))?;
        match self.0.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for Rooms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(self.0))
    }
}

impl fmt::Display for Clients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(self.0))
    }
}

fn joined(all: &[impl fmt::Display]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Catalog {
    /// The same with problems for what `audience` will not take of it. `endpoint` is how people call what they connect to.
    pub fn judged(mut self, endpoint: &str, audience: &Audience) -> Self {
        let Some(fit) = audience.fit() else { return self };
        let problems = [
            self.too_long(endpoint, audience, fit),
            self.refused(endpoint, audience, fit),
            self.undescribed(endpoint, audience),
        ];
        self.problems.extend(problems.into_iter().flatten());
        let count = self.list(Kind::Tools).len();
        for client in &audience.profiles {
            if let Some((most, beyond)) = client.budget().tools.filter(|(most, _)| count > *most) {
                let endpoint = endpoint.to_owned();
                self.problems.push(Problem::TooMany { endpoint, count, client: *client, most, beyond });
            }
        }
        self
    }

    fn too_long(&self, endpoint: &str, audience: &Audience, fit: Fit) -> Option<Problem> {
        let tools = self.misfits(Some(fit), |_, name| name.chars().count() > fit.most);
        let longest = tools.iter().map(|tool| tool.name.chars().count()).max()?;
        let rooms = audience.profiles.iter().map(|client| {
            let (prefix, most) = (client.prefix(&audience.server), client.room(&audience.server));
            Room { client: *client, prefix, most }
        });
        let rooms = rooms.filter(|room| longest > room.most).collect();
        Some(Problem::TooLong { endpoint: endpoint.to_owned(), tools, rooms })
    }

    fn refused(&self, endpoint: &str, audience: &Audience, fit: Fit) -> Option<Problem> {
        let refuses = |client: &Profile, name: &str| client.refused(name).next().is_some();
        let tools = self.misfits(Some(fit), |_, name| audience.profiles.iter().any(|client| refuses(client, name)));
        let refuses_any = |client: &&Profile| tools.iter().any(|tool| refuses(client, &tool.name));
        let clients: Vec<Profile> = audience.profiles.iter().filter(refuses_any).copied().collect();
        (!tools.is_empty()).then(|| Problem::Characters { endpoint: endpoint.to_owned(), tools, clients })
    }

    fn undescribed(&self, endpoint: &str, audience: &Audience) -> Option<Problem> {
        let client = *audience.profiles.iter().find(|profile| profile.budget().wants_description)?;
        let tools = self.misfits(None, |at, _| !self.is_described(at));
        (!tools.is_empty()).then(|| Problem::Undescribed { endpoint: endpoint.to_owned(), tools, client })
    }

    /// The tools of which `is_one` is true: of their place in the list, and their name there. With `fit`, what they are in short.
    fn misfits(&self, fit: Option<Fit>, is_one: impl Fn(usize, &str) -> bool) -> Vec<Misfit> {
        let all = self.names[Kind::Tools].iter().enumerate();
        let misfits = all.filter(|(at, name)| is_one(*at, name.shown())).filter_map(|(_, name)| {
            let target = self.route(Kind::Tools, name.shown()).ok()?.first().target.clone();
            Some(Misfit { target, name: name.shown().to_owned(), short: fit.map(|fit| fit.shorten(&name.full)) })
        });
        misfits.collect()
    }

    /// Whether the tool at this place of the list has a description.
    fn is_described(&self, at: usize) -> bool {
        let entry = ObjectEdit::parse(self.list(Kind::Tools).text(at)).ok();
        let description = entry.as_ref().and_then(|entry| entry.get("description"));
        description.is_some_and(|text| !matches!(text, "null" | r#""""#))
    }
}
