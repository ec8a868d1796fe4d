//! The four kinds of what servers list, and one value for each of them. Knows their words in MCP and nothing of their content.
//!
//! Source: MCP 2026-07-28, server/tools, server/prompts, server/resources.

use std::{
    fmt,
    ops::{Index, IndexMut},
};

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Tools,
    Prompts,
    Resources,
    /// Resource templates.
    Templates,
}

/// One value for each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerKind<T>([T; 4]);

impl Kind {
    /// In the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    /// The method that lists it.
    pub fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// The kind that `method` lists.
    pub fn of_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.method() == method)
    }

    /// The member of a result that holds the list.
    pub fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// The member of an entry by which it is asked for.
    pub fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }

    /// The capability of a server that has such a list.
    pub fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::Templates => "resources",
        }
    }

    /// Whether the gateway names it anew; else its key is the same for everybody.
    pub(super) fn is_named(self) -> bool {
        match self {
            Self::Tools | Self::Prompts => true,
            Self::Resources | Self::Templates => false,
        }
    }
}

impl fmt::Display for Kind {
    /// One of them: `tool`, `resource template`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tools => "tool",
            Self::Prompts => "prompt",
            Self::Resources => "resource",
            Self::Templates => "resource template",
        })
    }
}

impl<T> PerKind<T> {
    /// The value that `make` gives for each kind.
    pub fn of(make: impl FnMut(Kind) -> T) -> Self {
        Self(Kind::ALL.map(make))
    }
}

impl<T> Index<Kind> for PerKind<T> {
    type Output = T;

    fn index(&self, kind: Kind) -> &T {
        &self.0[kind as usize]
    }
}

impl<T> IndexMut<Kind> for PerKind<T> {
    fn index_mut(&mut self, kind: Kind) -> &mut T {
        &mut self.0[kind as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_value_of_its_own() {
        let methods = PerKind::of(Kind::method);
        for kind in Kind::ALL {
            assert_eq!(methods[kind], kind.method());
            assert_eq!(Kind::of_method(methods[kind]), Some(kind));
        }
        assert_eq!(Kind::of_method("tools/call"), None);
    }
}
