//! What of the live gateway's rate limits and rules is different: neither has a place in config.toml.

use std::collections::BTreeSet;

use super::{
    super::{
        gap::Gap,
        live::{Listed, Live},
    },
    Wish,
};

pub(super) fn gaps(live: &Live, wish: Wish) -> Vec<Gap> {
    let limits = said(&live.rate_limits, "rate limits", |limits| {
        let limits: Vec<String> =
            limits.iter().map(|it| format!("`{}` by {}", it.rate_limit_id, it.dimension_keys.join(" and "))).collect();
        let what = format!("Rate limits hold there ({})", limits.join(", "));
        Gap::of_gateway(what, wish.here("nobody is slowed down here"))
    });
    let rules = said(&live.rules, "rules", |rules| {
        let actions: BTreeSet<&str> =
            rules.iter().flat_map(|rule| &rule.actions).flat_map(|action| action.keys()).map(String::as_str).collect();
        let actions = actions.into_iter().collect::<Vec<_>>().join(", ");
        let what = format!("Of requests there, {} rules change where they go or how ({actions})", rules.len());
        Gap::of_gateway(what, wish.here("every name leads to its own target here"))
    });
    limits.into_iter().chain(rules).collect()
}

fn said<T>(list: &Listed<T>, name: &str, gap: impl Fn(&[T]) -> Gap) -> Option<Gap> {
    match list {
        Listed::Shown(entries) if entries.is_empty() => None,
        Listed::Shown(entries) => Some(gap(entries)),
        Listed::Unreadable(why) => {
            let what = format!("Its {name} could not be read ({why})");
            Some(Gap::of_gateway(what, "none are here; whether there are any, AWS's console says"))
        }
    }
}
