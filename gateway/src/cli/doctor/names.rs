//! What clients will not take of the merged lists: names that are too long, that two targets give, more tools than a client uses.
//! Says the same that the gateway logs at its start.

use super::{Bench, Finding};
use crate::{app::App, cli::screen::count};

/// What is said against the lists of the targets that can be listed.
pub(super) async fn look(bench: &Bench) -> Vec<Finding> {
    let app = match App::build(bench.config.clone(), bench.clock.clone()) {
        Ok(app) => app,
        Err(error) => return vec![Finding::failed("names", format!("{error:#}"))],
    };
    let (all, toolsets) = app.survey_endpoints().await;
    let catalogs = [&all].into_iter().chain(&toolsets).map(|view| &view.catalog);
    let problems = catalogs.flat_map(|catalog| catalog.problems()).filter(|problem| !problem.is_intended());
    let mut texts: Vec<String> = Vec::new();
    for text in problems.map(ToString::to_string) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.len() {
        0 => vec![Finding::good("names", "clients take all of them")],
        many => {
            let said = texts.iter().take(MOST).map(|text| Finding::failed("names", text).but_works());
            said.chain(rest(many)).collect()
        }
    }
}

/// More of one kind say no more.
const MOST: usize = 12;

fn rest(all: usize) -> Option<Finding> {
    let left = all.checked_sub(MOST).filter(|left| *left > 0)?;
    Some(Finding::warning("names", format!("{} more", count(left, "thing"))).todo("`causeway serve` logs all of them"))
}
