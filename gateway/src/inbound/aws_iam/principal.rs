//! Which AWS principals may call: patterns over ARNs. Asks nobody.

/// The ARNs of principals that may call: whole, or with `*` at the end. The ARN of a role stands for all its sessions.
#[derive(Clone, Debug)]
pub(super) struct Principals(Vec<String>);

impl Principals {
    pub(super) fn new(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    /// Whether the principal `arn`, as GetCallerIdentity names it, may call.
    pub(super) fn allow(&self, arn: &str) -> bool {
        let role = Role::of_session(arn);
        self.0.iter().any(|pattern| {
            let whole = match pattern.strip_suffix('*') {
                Some(begin) => arn.starts_with(begin),
                None => arn == pattern,
            };
            whole || role.as_ref().is_some_and(|role| role.is(pattern))
        })
    }
}

/// A role, by what the ARN of a session says of it. The role's path is not in there, and names of roles are unique in an
/// account without it.
#[derive(Debug)]
struct Role<'a> {
    partition: &'a str,
    account: &'a str,
    name: &'a str,
}

impl<'a> Role<'a> {
    /// From `arn:PARTITION:sts::ACCOUNT:assumed-role/NAME/SESSION`.
    fn of_session(arn: &'a str) -> Option<Self> {
        let [_, partition, "sts", "", account, resource] = arn.splitn(6, ':').collect::<Vec<_>>()[..] else {
            return None;
        };
        let (name, _) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
        Some(Self { partition, account, name })
    }

    /// Whether `pattern` is the ARN of this role: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
    fn is(&self, pattern: &str) -> bool {
        let begin = format!("arn:{}:iam::{}:role/", self.partition, self.account);
        pattern.strip_prefix(&begin).is_some_and(|path| path.rsplit('/').next() == Some(self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, arn: &str, expected| {
            assert_eq!(Principals::new(&[pattern.to_owned()]).allow(arn), expected, "{pattern} {arn}");
        };
        let session = "arn:aws:sts::111122223333:assumed-role/developers/alice";
        check("arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/alice", true);
        check("arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/alice2", false);
        check("arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:user/team/bob", true);
        check("arn:aws:iam::111122223333:user/*", "arn:aws:iam::999999999999:user/bob", false);
        check(session, session, true);
        check("arn:aws:iam::111122223333:role/developers", session, true);
        check("arn:aws:iam::111122223333:role/team/developers", session, true);
        check("arn:aws:iam::111122223333:role/develop", session, false);
        check("arn:aws:iam::999999999999:role/developers", session, false);
        check("arn:aws-cn:iam::111122223333:role/developers", session, false);
        check("arn:aws:sts::111122223333:assumed-role/developers/*", session, true);
        check("arn:aws:sts::111122223333:assumed-role/developers/bob", session, false);
        check("arn:aws:iam::111122223333:role/developers", "arn:aws:iam::111122223333:user/developers", false);
    }
}
