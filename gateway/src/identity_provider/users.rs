//! The people of a pool and their passwords, in memory. Knows no tokens.
//!
//! Source: the Cognito developer guide, "Creating user accounts as administrator" (a temporary password must be changed at the
//! first login) and "Password policy" (what a password must have by default).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::{User, grants::Person, pool::unique};
use crate::secret::Secret;

/// Everybody who can log in.
pub(super) struct Users(Mutex<BTreeMap<String, Account>>);

struct Account {
    sub: String,
    password: Secret,
    temporary: Option<Secret>,
}

/// What comes of a name and a password.
pub(super) enum Attempt {
    In(Person),
    /// The password is a temporary one: this person chooses another first.
    NewPassword(String),
    Wrong,
}

/// A new password that does not have what Cognito asks for by default.
#[derive(Debug)]
pub(super) struct Weak;

impl Users {
    pub(super) fn new(users: Vec<User>) -> Self {
        let account = |user: User| {
            let User { name, password, temporary_password } = user;
            (name, Account { sub: unique(), password, temporary: Some(temporary_password) })
        };
        Self(Mutex::new(users.into_iter().map(account).collect()))
    }

    pub(super) fn attempt(&self, name: &str, password: &str, now: Duration) -> Attempt {
        let accounts = self.accounts();
        let Some(account) = accounts.get(name) else { return Attempt::Wrong };
        if same(&account.password, password) {
            return Attempt::In(account.person(name, now));
        }
        match &account.temporary {
            Some(temporary) if same(temporary, password) => Attempt::NewPassword(name.to_owned()),
            _ => Attempt::Wrong,
        }
    }

    /// From now on only `password` lets `name` in. `name` has shown the temporary one before.
    pub(super) fn choose(&self, name: &str, password: &str, now: Duration) -> Result<Person, Weak> {
        let has = |of: fn(char) -> bool| password.chars().any(of);
        let other = |c: char| !c.is_ascii_alphanumeric();
        let strong = has(|c| c.is_ascii_lowercase()) && has(|c| c.is_ascii_uppercase()) && has(|c| c.is_ascii_digit());
        if password.chars().count() < 8 || !strong || !has(other) {
            return Err(Weak);
        }
        let mut accounts = self.accounts();
        let account = accounts.get_mut(name).ok_or(Weak)?;
        account.password = Secret::new(password);
        account.temporary = None;
        Ok(account.person(name, now))
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<String, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn person(&self, name: &str, now: Duration) -> Person {
        Person { name: name.to_owned(), sub: self.sub.clone(), since: now, origin: unique() }
    }
}

fn same(secret: &Secret, given: &str) -> bool {
    verify_slices_are_equal(secret.expose().as_bytes(), given.as_bytes()).is_ok()
}
