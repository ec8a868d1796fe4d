//! Which AWS principals may call: patterns over ARNs. Asks nobody.

use causeway_aws::Arn;

/// The ARNs of principals that may call: whole, or with `*` at the end. The ARN of a role stands for all its sessions.
#[derive(Clone, Debug)]
pub(super) struct Principals(Vec<String>);

impl Principals {
    pub(super) fn new(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    /// Whether the principal `arn`, as GetCallerIdentity names it, may call.
    pub(super) fn allow(&self, arn: &str) -> bool {
        let session = arn.parse().ok();
        self.0.iter().any(|pattern| {
            let whole = match pattern.strip_suffix('*') {
                Some(begin) => arn.starts_with(begin),
                None => arn == pattern,
            };
            whole || session.as_ref().is_some_and(|session| is_of_role(session, pattern))
        })
    }
}

/// Whether `session`, `arn:PARTITION:sts::ACCOUNT:assumed-role/NAME/SESSION`, is one of the role `pattern`,
/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`. A session does not name its role's path, and names of roles are unique in an
/// account without it.
fn is_of_role(session: &Arn, pattern: &str) -> bool {
    let Ok(role) = pattern.parse::<Arn>() else { return false };
    let of_session = session.resource.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/'));
    let of_role = role.resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next());
    (session.service.as_str(), role.service.as_str()) == ("sts", "iam")
        && (&session.partition, "", &session.account) == (&role.partition, session.region.as_str(), &role.account)
        && role.region.is_empty()
        && of_role.is_some_and(|name| of_session.is_some_and(|(of, _)| of == name))
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
