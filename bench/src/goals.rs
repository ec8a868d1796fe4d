//! What the gateway is to reach in a run, as ratios to nginx in the same run where that is possible, and whether it did.

use crate::{
    candidate::Kind,
    form::{Form, Size},
    results::{Case, Cell, Doing, Figure, Results, Round},
};

/// One thing that is to be reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// In words.
    pub what: &'static str,
    pub bound: Bound,
    /// None where the run did not measure it.
    pub measured: Option<f64>,
    pub unit: Unit,
}

/// What it is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Times as much as nginx.
    TimesNginx,
    /// Times as much as with the fewest tools.
    TimesFewest,
    Megabytes,
    Milliseconds,
    /// Of the half that was written.
    Share,
    Answers,
}

/// The form that is measured against nginx.
pub const FORM: Form = Form::ALL[0];
/// Clients where nothing else is said.
pub const CLIENTS: usize = 32;
/// Tools of the longest list, and targets behind it.
pub const LONGEST: (usize, usize) = (10_000, 3);
/// Clients that listen.
pub const STREAMS: usize = 10_000;

/// The gateway as most will run it.
const GATEWAY: Kind = Kind::Causeway { guarded: true };

impl Goal {
    /// None where it was not measured.
    pub fn met(&self) -> Option<bool> {
        let measured = self.measured?;
        Some(match self.bound {
            Bound::AtMost(most) => measured <= most,
            Bound::AtLeast(least) => measured >= least,
        })
    }
}

/// All of them.
pub fn goals(results: &Results) -> Vec<Goal> {
    use {Bound::*, Unit::*};
    let goal = |what, bound, unit, measured| Goal { what, bound, measured, unit };
    vec![
        goal("answers that are wrong or do not come, of all candidates", AtMost(0.0), Answers, wrong(results)),
        goal(
            "processor time of a small call with JWT and cached token, 32 clients",
            AtMost(2.5),
            TimesNginx,
            cpu(results),
        ),
        goal("small calls a second, 32 clients", AtLeast(0.4), TimesNginx, rate(results)),
        goal("median latency that is added to a small call, one client", AtMost(1.5), TimesNginx, latency(results)),
        goal(
            "of a result of 1 MB, what is passed on before the rest is written",
            AtLeast(0.9),
            Share,
            passed_on(results),
        ),
        goal(
            "processor time of a call, 3 to 10,000 tools and 3 to 100 targets, 32 clients",
            AtMost(1.1),
            TimesFewest,
            flat(results),
        ),
        goal("lists of 10,000 tools a second, against a file, 32 clients", AtLeast(0.5), TimesNginx, lists(results)),
        goal("memory, idle", AtMost(25.0), Megabytes, memory(results, Doing::Idle)),
        goal("memory with 10,000 idle streams", AtMost(200.0), Megabytes, memory(results, Doing::Streams(STREAMS))),
        goal("first list after the start, with a snapshot", AtMost(50.0), Milliseconds, start(results)),
    ]
}

fn wrong(results: &Results) -> Option<f64> {
    (!results.cells.is_empty()).then(|| results.failures().count() as f64)
}

fn small(results: &Results, kind: Kind, clients: usize, of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
    let case = Case::Call { form: FORM, size: Size::Small };
    Some(results.cell(kind.name(), case, clients)?.figure_if(of)?.median)
}

fn cpu(results: &Results) -> Option<f64> {
    let of = |kind| small(results, kind, CLIENTS, |round| round.cpu);
    Some(of(GATEWAY)? / of(Kind::Nginx)?)
}

fn rate(results: &Results) -> Option<f64> {
    let of = |kind| small(results, kind, CLIENTS, |round| Some(round.rate));
    Some(of(GATEWAY)? / of(Kind::Nginx)?)
}

fn latency(results: &Results) -> Option<f64> {
    let of = |kind| small(results, kind, 1, |round| Some(round.p50));
    let direct = of(Kind::Direct)?;
    Some((of(GATEWAY)? - direct) / (of(Kind::Nginx)? - direct))
}

/// The least of all forms.
fn passed_on(results: &Results) -> Option<f64> {
    let own = results.streaming.iter().filter(|streaming| streaming.candidate == GATEWAY.name());
    let half = Size::Large.filling() as f64 / 2.0;
    Figure::of(own.map(|streaming| (streaming.came as f64 / half).min(1.0))).map(|figure| figure.least)
}

/// Of the number of tools and targets at which a call costs most.
fn flat(results: &Results) -> Option<f64> {
    let among = results.cells.iter().filter(|cell| cell.clients == CLIENTS && cell.case.among().is_some());
    Some(Figure::of(among.filter_map(|cell| times_fewest(results, cell)))?.most)
}

/// What a call of `cell`, among so many tools, costs by what it costs among the fewest, with as many clients. That drifts with what else
/// the machine does, by more than is looked for here: each round is held against the same round with the fewest, and this is the median
/// of those ratios. None of the fewest.
pub fn times_fewest(results: &Results, cell: &Cell) -> Option<f64> {
    let among = results.cells.iter().filter(|other| other.clients == cell.clients && other.case.among().is_some());
    let fewest = among.min_by_key(|other| other.case.among()).filter(|fewest| fewest.case != cell.case)?;
    let rounds = cell.rounds.iter().zip(&fewest.rounds);
    Some(Figure::of(rounds.filter_map(|(round, fewest)| Some(round.cpu? / fewest.cpu?)))?.median)
}

fn lists(results: &Results) -> Option<f64> {
    let (tools, targets) = LONGEST;
    let of = |kind: Kind| {
        let cell = results.cell(kind.name(), Case::List { tools, targets }, CLIENTS)?;
        Some(cell.figure(|round| round.rate)?.median)
    };
    Some(of(GATEWAY)? / of(Kind::Nginx)?)
}

fn memory(results: &Results, doing: Doing) -> Option<f64> {
    let own = |memory: &&crate::results::Memory| memory.candidate == GATEWAY.name() && memory.doing == doing;
    Some(results.memory.iter().find(own)?.bytes as f64 / 1e6)
}

fn start(results: &Results) -> Option<f64> {
    let kept = results.starts.iter().find(|start| start.kept)?;
    Some(Figure::of(kept.millis.iter().copied())?.median)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Memory;

    fn round(cpu: f64, rate: f64, p50: f64) -> Round {
        Round { calls: 1, failures: 0, failure: None, rate, p50, p99: p50, cpu: Some(cpu), peak: None }
    }

    fn measured(results: &Results, unit: Unit, begins: &str) -> Option<f64> {
        let all = goals(results);
        all.into_iter().find(|goal| goal.unit == unit && goal.what.starts_with(begins)).unwrap().measured
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        assert!(goals(&Results::default()).iter().all(|goal| goal.met().is_none()));
    }

    #[test]
    fn ratios_are_of_medians() {
        let mut results = Results::default();
        let case = Case::Call { form: FORM, size: Size::Small };
        for (kind, rounds) in [
            (Kind::Nginx, [(10.0, 100.0, 60.0), (12.0, 90.0, 70.0), (11.0, 1.0, 65.0)]),
            (GATEWAY, [(22.0, 45.0, 80.0), (500.0, 45.0, 90.0), (1.0, 45.0, 85.0)]),
            (Kind::Direct, [(0.0, 0.0, 45.0); 3]),
        ] {
            for (cpu, rate, p50) in rounds {
                results.add(kind.name(), case, CLIENTS, round(cpu, rate, p50));
                results.add(kind.name(), case, 1, round(cpu, rate, p50));
            }
        }
        assert_eq!(measured(&results, Unit::TimesNginx, "processor time"), Some(2.0));
        assert_eq!(measured(&results, Unit::TimesNginx, "small calls"), Some(0.5));
        assert_eq!(measured(&results, Unit::TimesNginx, "median latency"), Some(2.0));
        let met: Vec<_> = goals(&results).iter().filter_map(Goal::met).collect();
        assert_eq!(met, [true, true, true, false]);
    }

    #[test]
    fn calls_among_many_tools_are_held_against_the_same_round_with_few() {
        let mut results = Results::default();
        for drift in [1.0, 5.0, 2.0] {
            for (tools, targets, cpu) in [(1_000, 100, 10.8), (3, 3, 10.0), (10_000, 3, 9.0)] {
                let case = Case::CallAmong { tools, targets };
                results.add(GATEWAY.name(), case, CLIENTS, round(cpu * drift, 1.0, 1.0));
            }
        }
        let measured = measured(&results, Unit::TimesFewest, "processor time").unwrap();
        assert!((measured - 1.08).abs() < 1e-9, "{measured}");
    }

    #[test]
    fn bounds_hold_where_they_are_reached() {
        let mut results = Results::default();
        let candidate = GATEWAY.name().to_owned();
        results.memory.push(Memory { candidate, doing: Doing::Idle, bytes: 25_000_000 });
        assert_eq!(measured(&results, Unit::Megabytes, "memory, idle"), Some(25.0));
        assert_eq!(goals(&results).iter().filter_map(Goal::met).collect::<Vec<_>>(), [true]);
    }
}
