//! Sealed tokens: what opens is what was sealed, for whom it was sealed, in its time, and to the letter.

use std::{sync::LazyLock, time::Duration};

use causeway_core::seal::{Sealer, Unsealed};
use serde_json::Value;

use crate::input;

static OLD: LazyLock<Sealer> = LazyLock::new(|| Sealer::new([&b"old"[..]]));
static BOTH: LazyLock<Sealer> = LazyLock::new(|| Sealer::new([&b"new"[..], b"old"]));
static NEW: LazyLock<Sealer> = LazyLock::new(|| Sealer::new([&b"new"[..]]));

/// A purpose, an owner and a place, each in a line, and then a text: the content of a token, and a token that nobody made.
pub fn check(data: &[u8]) {
    let Some(([purpose, owner, place], text)) = input::texts(data) else { return };
    let now = Duration::from_secs(100);
    let open = |sealer: &Sealer, purpose: &str, owner: &str, now, token: &str| {
        sealer.open::<Value>(purpose, owner, now, token)
    };
    assert_eq!(open(&BOTH, purpose, owner, now, text), Err(Unsealed::Foreign), "a token that nobody sealed opens");
    let content = Value::from(text);
    let token = OLD.seal(purpose, owner, now + Duration::from_secs(1), &content);
    assert_eq!(
        open(&BOTH, purpose, owner, now, &token),
        Ok(content.clone()),
        "keys were changed, and the old one is known"
    );
    assert_eq!(open(&NEW, purpose, owner, now, &token), Err(Unsealed::Foreign), "the key is gone");
    assert_eq!(open(&OLD, purpose, owner, now + Duration::from_secs(1), &token), Err(Unsealed::Expired));
    for other in [(owner, purpose), (place, owner), (purpose, place)] {
        let opened = open(&OLD, other.0, other.1, now, &token);
        assert_eq!(opened.is_ok(), other == (purpose, owner), "it opens for {other:?}");
    }
    let moved = [purpose, owner].concat();
    let borders = (0..=moved.len()).filter(|at| moved.is_char_boundary(*at) && *at != purpose.len());
    for at in borders.take(8) {
        assert!(open(&OLD, &moved[..at], &moved[at..], now, &token).is_err(), "purpose and owner run into each other");
    }
    changed(&token, place, |token| open(&OLD, purpose, owner, now, token).is_ok());
    let name = OLD.name(purpose, owner, &content);
    assert_eq!(OLD.name(purpose, owner, &content), name, "a name changes");
    assert_eq!(open(&BOTH, purpose, owner, Duration::from_secs(u64::MAX - 1), &name), Ok(content));
}

/// Any letter of a token changed, one more or one less: it is no token.
fn changed(token: &str, place: &str, opens: impl Fn(&str) -> bool) {
    let at = place.bytes().fold(0_usize, |at, byte| (at * 31 + usize::from(byte)) % token.len());
    for letter in ["A", "_", "=", "", "\0", "é"] {
        let other = [&token[..at], letter, &token[at + 1..]].concat();
        assert!(other == token || !opens(&other), "changed at {at} it opens");
    }
    assert!(!opens(&[token, "A"].concat()) && !opens(&[token, "="].concat()) && !opens(&[" ", token].concat()));
}
