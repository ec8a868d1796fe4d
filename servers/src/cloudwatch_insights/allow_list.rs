//! Which log groups may be queried: exact names and `prefix*`. The first of two guards; the role's IAM policy, which
//! should allow the same list, is the second and is not read here.

/// Longest name of a log group.
const MAX_NAME: usize = 512;

/// The log groups that may be queried.
#[derive(Debug, Default)]
pub(super) struct AllowList(Vec<Pattern>);

#[derive(Debug)]
enum Pattern {
    Exact(String),
    Prefix(String),
}

/// One question about which groups there are. A list of them comes in the order of the texts, and no group answers two.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lookup {
    /// The group with this name.
    Exact(String),
    /// The groups whose names begin so.
    Prefix(String),
}

/// An entry of the list that is neither a name nor `prefix*`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no log group; write names (letters, digits and `.-_/#`) or `prefix*`, separated by commas")]
pub(crate) struct BadPattern(String);

/// Why log groups may not be queried.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAllowed {
    #[error(
        "no log group may be read, because the server's list is empty; set `ALLOWED_LOG_GROUPS` in its environment \
         to comma separated names or `prefix*`, for example `/aws/lambda/orders,/ecs/*`"
    )]
    EmptyList,
    #[error("this server may not read {refused}; it may read {allowed} (`ALLOWED_LOG_GROUPS` in its environment)")]
    Outside { refused: String, allowed: String },
    #[error("{0} is no name of a log group: write names as `list_log_groups` gives them, without `*` and not as ARNs")]
    NoName(String),
    #[error("`log_groups` must name the log groups to query, because the server knows only patterns: {allowed}")]
    NameThem { allowed: String },
    #[error("`prefix` is {0}, and no name of a log group begins so; names hold letters, digits and `.-_/#`")]
    NoPrefix(String),
    #[error("the query would read {named} log groups, and CloudWatch takes {most}; name fewer in `log_groups`")]
    TooMany { named: usize, most: usize },
}

impl AllowList {
    /// Reads a comma separated list; blanks around entries and empty entries are skipped.
    pub(super) fn parse(text: &str) -> Result<Self, BadPattern> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(Pattern::parse).collect::<Result<_, _>>().map(Self)
    }

    /// The log groups to query: those asked for, if all are allowed; when none are, the list itself, if it holds only
    /// names. Each group once, and no more than `most`.
    pub(super) fn choose(&self, asked: Option<Vec<String>>, most: usize) -> Result<Vec<String>, NotAllowed> {
        if self.0.is_empty() {
            return Err(NotAllowed::EmptyList);
        }
        let mut groups = match asked {
            Some(asked) if !asked.is_empty() => self.all_allowed(asked)?,
            _ => self.names().ok_or_else(|| NotAllowed::NameThem { allowed: self.list() })?,
        };
        let mut seen = std::collections::HashSet::new();
        groups.retain(|group| seen.insert(group.clone()));
        if groups.len() > most {
            return Err(NotAllowed::TooMany { named: groups.len(), most });
        }
        Ok(groups)
    }

    /// The one log group asked for, if it is allowed.
    pub(super) fn choose_one(&self, asked: String) -> Result<String, NotAllowed> {
        self.choose(Some(vec![asked]), 1).map(|mut groups| groups.remove(0))
    }

    /// How to find the allowed groups whose names begin with `prefix`.
    pub(super) fn lookups(&self, prefix: &str) -> Result<Vec<Lookup>, NotAllowed> {
        if self.0.is_empty() {
            return Err(NotAllowed::EmptyList);
        }
        if !prefix.is_empty() && !is_name(prefix) {
            return Err(NotAllowed::NoPrefix(quoted(prefix)));
        }
        let mut lookups: Vec<_> = self.0.iter().filter_map(|pattern| pattern.lookup(prefix)).collect();
        if lookups.is_empty() {
            return Err(NotAllowed::Outside { refused: format!("`{prefix}*`"), allowed: self.list() });
        }
        lookups.sort_unstable_by(|a, b| a.text().cmp(b.text()).then_with(|| b.cmp(a)));
        // In this order a prefix comes before all that it covers.
        let mut apart: Vec<Lookup> = Vec::new();
        for lookup in lookups {
            if !apart.last().is_some_and(|last| last.covers(&lookup)) {
                apart.push(lookup);
            }
        }
        Ok(apart)
    }

    /// Every log group there is.
    pub(super) fn everything() -> Self {
        Self(vec![Pattern::Prefix(String::new())])
    }

    /// One sentence for the model.
    pub(super) fn describe(&self) -> String {
        if self.0.is_empty() { NotAllowed::EmptyList.to_string() } else { format!("Log groups: {}.", self.list()) }
    }

    fn all_allowed(&self, asked: Vec<String>) -> Result<Vec<String>, NotAllowed> {
        if let Some(other) = asked.iter().find(|name| !is_name(name)) {
            return Err(NotAllowed::NoName(quoted(other)));
        }
        let refused: Vec<_> = asked.iter().filter(|name| !self.allows(name)).map(|name| quoted(name)).collect();
        if refused.is_empty() {
            Ok(asked)
        } else {
            Err(NotAllowed::Outside { refused: refused.join(", "), allowed: self.list() })
        }
    }

    /// An ARN is no name: it could lead to another account.
    fn allows(&self, name: &str) -> bool {
        is_name(name) && self.0.iter().any(|pattern| pattern.matches(name))
    }

    fn names(&self) -> Option<Vec<String>> {
        self.0
            .iter()
            .map(|pattern| match pattern {
                Pattern::Exact(name) => Some(name.clone()),
                Pattern::Prefix(_) => None,
            })
            .collect()
    }

    fn list(&self) -> String {
        self.0.iter().map(Pattern::quoted).collect::<Vec<_>>().join(", ")
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, BadPattern> {
        match text.strip_suffix('*') {
            Some(prefix) if prefix.is_empty() || is_name(prefix) => Ok(Self::Prefix(prefix.to_owned())),
            None if is_name(text) => Ok(Self::Exact(text.to_owned())),
            _ => Err(BadPattern(text.to_owned())),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => name == exact,
            Self::Prefix(prefix) => name.starts_with(prefix),
        }
    }

    /// What to look for, when only names that begin with `prefix` are of interest.
    fn lookup(&self, prefix: &str) -> Option<Lookup> {
        match self {
            Self::Exact(name) => name.starts_with(prefix).then(|| Lookup::Exact(name.clone())),
            Self::Prefix(own) if own.starts_with(prefix) => Some(Lookup::Prefix(own.clone())),
            Self::Prefix(own) => prefix.starts_with(own).then(|| Lookup::Prefix(prefix.to_owned())),
        }
    }

    fn quoted(&self) -> String {
        match self {
            Self::Exact(name) => format!("`{name}`"),
            Self::Prefix(prefix) => format!("`{prefix}*`"),
        }
    }
}

impl Lookup {
    /// Whether the group `name` is an answer to it.
    pub(super) fn finds(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => name == exact,
            Self::Prefix(prefix) => name.starts_with(prefix),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) => text,
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match self {
            Self::Exact(_) => self == other,
            Self::Prefix(prefix) => other.text().starts_with(prefix),
        }
    }
}

/// `[\.\-_/#A-Za-z0-9]{1,512}`, as the API reference of CreateLogGroup has it.
pub(super) fn is_name(text: &str) -> bool {
    let fits = (1..=MAX_NAME).contains(&text.len());
    fits && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_/#".contains(c))
}

/// A name of the caller's in a message, shortened: it may be anything.
fn quoted(name: &str) -> String {
    let short: String = name.chars().take(80).collect();
    if short.len() < name.len() { format!("`{short}...`") } else { format!("`{short}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(list: &str, asked: &[&str]) -> Result<Vec<String>, String> {
        let asked = (!asked.is_empty()).then(|| asked.iter().map(|&name| name.to_owned()).collect());
        AllowList::parse(list).unwrap().choose(asked, 50).map_err(|error| error.to_string())
    }

    #[test]
    fn allowed() {
        assert_eq!(choose("/a/b, /ecs/*", &["/a/b", "/ecs/x", "/a/b"]).unwrap(), ["/a/b", "/ecs/x"]);
        assert_eq!(choose("/a,/b,", &[]).unwrap(), ["/a", "/b"]);
        assert_eq!(choose("*", &["anything"]).unwrap(), ["anything"]);
    }

    #[test]
    fn refused() {
        insta::assert_snapshot!(choose("", &["/a"]).unwrap_err(), @"no log group may be read, because the server's list is empty; set `ALLOWED_LOG_GROUPS` in its environment to comma separated names or `prefix*`, for example `/aws/lambda/orders,/ecs/*`");
        insta::assert_snapshot!(choose("/a,/ecs/*", &["/a", "/ab", "/ec"]).unwrap_err(), @"this server may not read `/ab`, `/ec`; it may read `/a`, `/ecs/*` (`ALLOWED_LOG_GROUPS` in its environment)");
        insta::assert_snapshot!(choose("/a,/ecs/*", &[]).unwrap_err(), @"`log_groups` must name the log groups to query, because the server knows only patterns: `/a`, `/ecs/*`");
        let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/a";
        insta::assert_snapshot!(choose("*", &[arn]).unwrap_err(), @"`arn:aws:logs:us-east-1:123456789012:log-group:/a` is no name of a log group: write names as `list_log_groups` gives them, without `*` and not as ARNs");
        let many: Vec<_> = (0..51).map(|n| format!("g{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        insta::assert_snapshot!(choose("g*", &many).unwrap_err(), @"the query would read 51 log groups, and CloudWatch takes 50; name fewer in `log_groups`");
    }

    #[test]
    fn lookups_are_in_order_and_apart() {
        let lookups = |list: &str, prefix: &str| {
            let found = AllowList::parse(list).unwrap().lookups(prefix).map_err(|error| error.to_string())?;
            let text = |lookup: &Lookup| match lookup {
                Lookup::Exact(name) => name.clone(),
                Lookup::Prefix(prefix) => format!("{prefix}*"),
            };
            Ok::<_, String>(found.iter().map(text).collect::<Vec<_>>())
        };
        let check = |list, prefix, expected: &[&str]| assert_eq!(lookups(list, prefix).unwrap(), expected, "{list}");
        check("/b,/a", "", &["/a", "/b"]);
        check("/ecs/*,/a,/ecs/web*,/ecs/x,/a", "", &["/a", "/ecs/*"]);
        check("/a,/a*", "", &["/a*"]);
        check("/a,/a*,*", "", &["*"]);
        check("*", "/ecs", &["/ecs*"]);
        check("/ecs/*,/a", "/ecs/w", &["/ecs/w*"]);
        check("/ecs/*,/e*,/a", "/e", &["/e*"]);
        check("/a/1,/a/10,/b", "/a/1", &["/a/1", "/a/10"]);
        insta::assert_snapshot!(lookups("/a,/ecs/*", "/b").unwrap_err(), @"this server may not read `/b*`; it may read `/a`, `/ecs/*` (`ALLOWED_LOG_GROUPS` in its environment)");
        insta::assert_snapshot!(lookups("*", "a b").unwrap_err(), @"`prefix` is `a b`, and no name of a log group begins so; names hold letters, digits and `.-_/#`");
        assert_eq!(lookups("", ""), Err(NotAllowed::EmptyList.to_string()));
    }

    #[test]
    fn a_star_elsewhere_is_a_mistake() {
        for bad in ["a*b", "**", "a b", "ü", "arn:aws:logs"] {
            assert!(AllowList::parse(bad).is_err(), "{bad}");
        }
    }
}
