//! How the number of tools and of targets tells: lists of them, and calls among them. A file that nginx serves stands beside each
//! list, with the bytes that the gateway answered.

use anyhow::Context;

use super::trial::{Tempo, Trial, interleave};
use crate::{
    candidate::{self, Candidate, Catalog, Start},
    form::{Form, Request, Size},
    ground::Ground,
    load::{self, Ask, Expected, Work},
    process::Process,
    results::{Case, Results},
    upstream::Server,
};

/// So many tools over so many targets.
#[derive(Clone, Copy, Debug)]
pub struct Among {
    pub tools: usize,
    pub targets: usize,
}

/// Calls differ by little, if at all, and are compared with each other: they take turns faster, so that what drifts meets them alike.
const FINER: u32 = 4;

/// The form of the targets and of the clients.
const FORM: Form = Form::ALL[0];

/// A gateway before so many tools.
struct Point {
    among: Among,
    process: Process,
    list: Work,
    call: Work,
    file: Work,
}

/// Lists and calls at each of `points`, by so many clients. `nginx` serves the files, and has the calls of the upstream's only
/// server to compare with.
///
/// # Errors
/// A gateway does not start; else see [`interleave`].
pub async fn catalogs(
    ground: &Ground,
    nginx: &Candidate,
    points: &[Among],
    clients: &[usize],
    tempo: Tempo,
    results: &mut Results,
) -> anyhow::Result<()> {
    let mut started = Vec::new();
    for among in points {
        started.push(Point::start(ground, nginx, *among).await?);
    }
    let gateway = candidate::Kind::Causeway { guarded: true }.name();
    let (mut lists, mut calls) = (Vec::new(), Vec::new());
    for (clients, point) in clients.iter().flat_map(|clients| started.iter().map(|point| (*clients, point))) {
        let Among { tools, targets } = point.among;
        let trial = |(candidate, process): (&str, _), case, work: &Work| Trial {
            candidate: candidate.to_owned(),
            process,
            case,
            clients,
            work: work.clone(),
        };
        let (own, other) = ((gateway, Some(&point.process)), (nginx.name(), nginx.process.as_ref()));
        calls.push(trial(own, Case::CallAmong { tools, targets }, &point.call));
        let list = Case::List { tools, targets };
        lists.extend([trial(other, list, &point.file), trial(own, list, &point.list)]);
    }
    interleave(&calls, tempo.finer(FINER), results).await?;
    interleave(&lists, tempo, results).await
}

impl Point {
    async fn start(ground: &Ground, nginx: &Candidate, among: Among) -> anyhow::Result<Self> {
        let Among { tools, targets } = among;
        let place = |target: usize| (format!("target-{target}"), format!("/guarded/{tools}-{targets}/{target}/mcp"));
        let tool = |number: usize| format!("tool_{number:05}");
        for target in 0..targets {
            let own = (target..tools).step_by(targets).map(tool).collect();
            ground.upstream.serve(&place(target).1, &Server { form: FORM, guarded: true, tools: own });
        }
        let targets_of = (0..targets).map(place).collect();
        let name = format!("causeway-{tools}-{targets}");
        let catalog = Catalog { name, targets: targets_of, guarded: true, limits: String::new() };
        let Start { mut process, entrance } = candidate::start_with(ground, &catalog)?;
        let list = candidate::list(entrance.clone(), FORM.speaks, tools);
        candidate::answers(&list, Some(&mut process)).await?;
        let last = tools.checked_sub(1).context("there are no tools")?;
        let last = [&place(last % targets).0, candidate::BETWEEN, &tool(last)].concat();
        let call = Work {
            entrance,
            ask: Ask::Message(FORM.speaks, Request::call(FORM.speaks, &last)),
            expected: Expected::Result { size: Size::Small, verbatim: Some(FORM.speaks) },
        };
        let bytes = load::body(&list).await?;
        let entrance = nginx.file(ground, &format!("list-{tools}-{targets}"), &bytes)?;
        let file = Work { entrance, ask: Ask::File, expected: Expected::Bytes(bytes) };
        Ok(Self { among, process, list, call, file })
    }
}
