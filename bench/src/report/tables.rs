//! Tables in Markdown.

use crate::{
    candidate::Kind,
    form::{Form, Size},
    goals::{Bound, CLIENTS, Goal, Unit, times_fewest},
    results::{Case, Cell, Doing, Figure, Results, Round},
};

/// What stands where nothing was measured.
const NOTHING: &str = "-";

/// A table with these columns; the first is words, the others are figures.
struct Table {
    text: String,
    columns: usize,
}

impl Table {
    fn new(columns: &[&str]) -> Self {
        let rule = std::iter::once("---").chain(std::iter::repeat_n("---:", columns.len().saturating_sub(1)));
        let rule = rule.collect::<Vec<_>>().join("|");
        Self { text: format!("| {} |\n|{rule}|\n", columns.join(" | ")), columns: columns.len() }
    }

    fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns);
        self.text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

/// Where and how it was measured.
pub(super) fn machine(results: &Results) -> String {
    let (machine, settings) = (&results.machine, &results.settings);
    let mut table = Table::new(&["", ""]).text.replace("---:", "---");
    let mut row = |name: &str, value: String| table.push_str(&format!("| {name} | {value} |\n"));
    row("date", date(machine.began));
    row("processor", format!("{}, {} of them", machine.processor, machine.processors));
    row(
        "processors used",
        format!(
            "number {} for the proxy (threads of its core: {}), number {} for clients, upstream and issuer",
            settings.proxy_cpu, machine.siblings, settings.load_cpu
        ),
    );
    row("memory", format!("{:.0} GB", machine.memory_bytes as f64 / 1e9));
    row("kernel", machine.kernel.clone());
    row("load average at the start", format!("{:.2}", machine.load));
    row("command", format!("`{}`", settings.command));
    row("rounds", format!("{} of {} s for each figure", settings.rounds, settings.seconds));
    for (program, version) in &results.versions {
        row(program, version.clone());
    }
    table
}

/// What was to be reached, and what was.
pub(super) fn goals(goals: &[Goal]) -> String {
    let mut table = Table::new(&["what", "wanted", "measured", "met"]);
    for goal in goals {
        let wanted = match goal.bound {
            Bound::AtMost(most) => format!("at most {}", with_unit(most, goal.unit)),
            Bound::AtLeast(least) => format!("at least {}", with_unit(least, goal.unit)),
        };
        let measured = goal.measured.map_or_else(|| NOTHING.to_owned(), |measured| with_unit(measured, goal.unit));
        let met = match goal.met() {
            None => "not measured",
            Some(true) => "yes",
            Some(false) => "**no**",
        };
        table.row(vec![goal.what.to_owned(), wanted, measured, met.to_owned()]);
    }
    table.text
}

fn with_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::TimesNginx => format!("{value:.2} x nginx"),
        Unit::TimesFewest => format!("{value:.2} x the fewest tools"),
        Unit::Megabytes => format!("{value:.1} MB"),
        Unit::Milliseconds => format!("{value:.0} ms"),
        Unit::Share => format!("{:.0} %", value * 100.0),
        Unit::Answers => format!("{value:.0}"),
    }
}

/// Calls in every form by [`CLIENTS`] clients.
pub(super) fn forms(results: &Results) -> String {
    let columns = [
        "result",
        "form",
        "direct, a second",
        "nginx",
        "no authorizer",
        "JWT + client_credentials",
        "nginx, CPU",
        "no authorizer, CPU",
        "JWT + client_credentials, CPU",
        "x nginx",
    ];
    let mut table = Table::new(&columns);
    for (size, form) in Size::ALL.into_iter().flat_map(|size| Form::ALL.map(|form| (size, form))) {
        let case = Case::Call { form, size };
        let cell = |kind: Kind| results.cell(kind.name(), case, CLIENTS);
        let rates = Kind::OWN.map(|kind| rate(cell(kind)));
        let used = Kind::OWN.map(|kind| cell(kind).and_then(|cell| cell.figure_if(|round| round.cpu)));
        let [_, nginx, open, guarded] = used;
        let times = guarded.zip(nginx).map(|(guarded, nginx)| format!("{:.2}", guarded.median / nginx.median));
        let mut row = vec![size.tool().to_owned(), form.name().to_owned()];
        row.extend(rates);
        row.extend([nginx, open, guarded].map(micros));
        row.push(times.unwrap_or_else(|| NOTHING.to_owned()));
        table.row(row);
    }
    table.text
}

/// Calls of all sizes in the form that goals are measured in.
pub(super) fn calls(results: &Results) -> String {
    by_clients(results, None, &Kind::OWN.map(Kind::name), crate::goals::FORM)
}

/// Others, in the form that each of them serves.
pub(super) fn peers(results: &Results) -> String {
    let mut text = String::new();
    for kind in Kind::PEERS {
        let Some(form) = served(results, kind) else { continue };
        text.push_str(&format!("\n{}, form `{}`:\n\n", kind.name(), form.name()));
        text.push_str(&by_clients(
            results,
            Some(kind.name()),
            &[Kind::Nginx.name(), Kind::Causeway { guarded: true }.name(), kind.name()],
            form,
        ));
    }
    text
}

/// The form in which a candidate was measured first.
pub(super) fn served(results: &Results, kind: Kind) -> Option<Form> {
    results.cells.iter().filter(|cell| cell.candidate == kind.name()).find_map(|cell| match cell.case {
        Case::Call { form, .. } => Some(form),
        Case::CallAmong { .. } | Case::List { .. } => None,
    })
}

/// Calls in one form, of those that took turns with `peer`.
fn by_clients(results: &Results, peer: Option<&str>, candidates: &[&str], form: Form) -> String {
    let columns = [
        "result",
        "clients",
        "candidate",
        "calls a second",
        "p50, us",
        "p99, us",
        "CPU a call, us",
        "memory at most, MB",
    ];
    let mut table = Table::new(&columns);
    for size in Size::ALL {
        let case = Case::Call { form, size };
        let own = |cell: &&Cell| cell.case == case && cell.beside.as_deref() == peer;
        let mut clients: Vec<usize> = results.cells.iter().filter(own).map(|cell| cell.clients).collect();
        clients.sort_unstable();
        clients.dedup();
        for clients in clients {
            for candidate in candidates {
                let Some(cell) = results.cell_beside(peer, candidate, case, clients) else { continue };
                table.row(vec![
                    size.tool().to_owned(),
                    clients.to_string(),
                    (*candidate).to_owned(),
                    rate(Some(cell)),
                    plain(cell.figure(|round| round.p50)),
                    plain(cell.figure(|round| round.p99)),
                    micros(cell.figure_if(|round| round.cpu)),
                    peak(cell),
                ]);
            }
        }
    }
    table.text
}

/// Lists, and calls among many tools.
pub(super) fn catalogs(results: &Results) -> String {
    let columns = [
        "tools",
        "targets",
        "clients",
        "CPU a call, us",
        "x the fewest",
        "lists a second",
        "the same bytes from nginx",
        "x nginx",
        "CPU a list, us",
        "nginx",
    ];
    let mut table = Table::new(&columns);
    let gateway = Kind::Causeway { guarded: true }.name();
    for cell in results.cells.iter().filter(|cell| cell.candidate == gateway) {
        let Case::List { tools, targets } = cell.case else { continue };
        let call = results.cell(gateway, Case::CallAmong { tools, targets }, cell.clients);
        let file = results.cell(Kind::Nginx.name(), cell.case, cell.clients);
        let median = |cell: Option<&Cell>| Some(cell?.figure(|round| round.rate)?.median);
        let times = median(Some(cell)).zip(median(file)).map(|(list, file)| format!("{:.2}", list / file));
        table.row(vec![
            tools.to_string(),
            targets.to_string(),
            cell.clients.to_string(),
            micros(call.and_then(|call| call.figure_if(|round| round.cpu))),
            call.and_then(|call| times_fewest(results, call))
                .map_or_else(|| NOTHING.to_owned(), |times| format!("{times:.2}")),
            rate(Some(cell)),
            rate(file),
            times.unwrap_or_else(|| NOTHING.to_owned()),
            micros(cell.figure_if(|round| round.cpu)),
            micros(file.and_then(|file| file.figure_if(|round| round.cpu))),
        ]);
    }
    table.text
}

/// Memory without load.
pub(super) fn memory(results: &Results) -> String {
    let mut table = Table::new(&["candidate", "doing", "MB"]);
    for memory in &results.memory {
        let doing = match memory.doing {
            Doing::Idle => "idle, after one call in each form".to_owned(),
            Doing::Streams(count) => format!("{count} streams"),
        };
        table.row(vec![memory.candidate.clone(), doing, format!("{:.1}", memory.bytes as f64 / 1e6)]);
    }
    table.text
}

/// From the start to the first list.
pub(super) fn starts(results: &Results) -> String {
    let mut table = Table::new(&["what it has", "times", "median, ms", "least", "most"]);
    for start in &results.starts {
        let Some(figure) = Figure::of(start.millis.iter().copied()) else { continue };
        let has = if start.kept { "a snapshot of the lists" } else { "nothing kept" };
        let mut row = vec![has.to_owned(), start.millis.len().to_string()];
        row.extend([figure.median, figure.least, figure.most].map(|millis| format!("{millis:.1}")));
        table.row(row);
    }
    table.text
}

/// What is passed on of a result that stops in its middle.
pub(super) fn streaming(results: &Results) -> String {
    let mut table = Table::new(&["candidate", "form", "bytes that came of 500,000"]);
    for streaming in &results.streaming {
        table.row(vec![streaming.candidate.clone(), streaming.form.name().to_owned(), streaming.came.to_string()]);
    }
    table.text
}

/// Calls of the allocator for one relayed call.
pub(super) fn allocations(results: &Results) -> String {
    let mut table = Table::new(&["call", "allocations", "bytes"]);
    for (call, counted) in &results.allocations {
        table.row(vec![call.clone(), format!("{:.1}", counted.allocations), format!("{:.0}", counted.bytes)]);
    }
    table.text
}

/// What could not be measured.
pub(super) fn left_out(results: &Results) -> String {
    results.left_out.iter().map(|line| format!("- {line}\n")).collect()
}

fn rate(cell: Option<&Cell>) -> String {
    plain(cell.and_then(|cell| cell.figure(|round| round.rate)))
}

/// A median, and how far the rounds lie apart.
fn plain(figure: Option<Figure>) -> String {
    figure.map_or_else(|| NOTHING.to_owned(), |figure| format!("{}{}", thousands(figure.median), spread(figure)))
}

fn micros(figure: Option<Figure>) -> String {
    figure.map_or_else(|| NOTHING.to_owned(), |figure| format!("{:.1}{}", figure.median, spread(figure)))
}

fn spread(figure: Figure) -> String {
    let most = (figure.most - figure.median).max(figure.median - figure.least);
    match figure.median > 0.0 && figure.most > figure.least {
        true => format!(" ± {:.0} %", most / figure.median * 100.0),
        false => String::new(),
    }
}

fn peak(cell: &Cell) -> String {
    let figure = cell.figure_if(|round: &Round| round.peak.map(|bytes| bytes as f64 / 1e6));
    figure.map_or_else(|| NOTHING.to_owned(), |figure| format!("{:.0}", figure.most))
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// The day of a moment, as `2026-07-28`.
fn date(since_epoch: u64) -> String {
    let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs(since_epoch);
    // RFC 9110: `Tue, 28 Jul 2026 12:00:00 GMT`.
    let text = httpdate::fmt_http_date(moment);
    text.get(5..16).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(12.0), "12");
        assert_eq!(plain(Figure::of([90.0, 100.0, 130.0])), "100 ± 30 %");
        assert_eq!(micros(Figure::of([2.0])), "2.0");
        assert_eq!(date(1_785_240_000), "28 Jul 2026");
    }
}
