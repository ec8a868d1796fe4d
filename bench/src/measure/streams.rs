//! Many clients that listen, and to whom nothing is said: what they cost in memory.

use anyhow::{Context, ensure};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use tokio::task::JoinSet;

use crate::{
    candidate::{self, Catalog, Kind, Start},
    form::{Form, Mark, Request},
    ground::{Ground, path},
    load::{self, Connection, Entrance},
    results::{Doing, Memory, Results},
};

/// Clients that connect at once.
const AT_ONCE: usize = 64;
/// Connections beside the streams.
const SPARE: usize = 64;

/// So many streams at a gateway of their own, each heard to have begun, all of them open at the end, and a list answered meanwhile.
///
/// # Errors
/// One of them does not begin, or ends.
pub async fn streams(ground: &Ground, count: usize, results: &mut Results) -> anyhow::Result<()> {
    let form = Form::ALL[0];
    let most = count + SPARE;
    let catalog = Catalog {
        name: "causeway-streams".to_owned(),
        targets: vec![("target".to_owned(), path(form, true))],
        guarded: true,
        limits: format!("connections = {most}\nstreams = {most}\n"),
    };
    let Start { mut process, entrance } = candidate::start_with(ground, &catalog)?;
    let list = candidate::list(entrance.clone(), form.speaks, 4);
    candidate::answers(&list, Some(&mut process)).await?;
    let candidate = Kind::Causeway { guarded: true }.name();
    let mut memory = |doing| {
        let bytes = process.memory();
        println!("{candidate}: {:.1} MB, {doing:?}", bytes as f64 / 1e6);
        results.memory.push(Memory { candidate: candidate.to_owned(), doing, bytes });
    };
    memory(Doing::Streams(0));
    let mut opening = JoinSet::new();
    let mut open = Vec::with_capacity(count);
    for number in 0..count {
        if opening.len() == AT_ONCE {
            open.push(opening.join_next().await.context("there are some")???);
        }
        opening.spawn(listen(entrance.clone(), number));
    }
    while let Some(opened) = opening.join_next().await {
        open.push(opened??);
    }
    memory(Doing::Streams(count));
    load::once(&list).await.context("no list while clients listen")?;
    ensure!(open.iter().all(|(connection, _)| connection.is_open()), "a stream has ended");
    Ok(())
}

/// Listens; heard to have begun.
async fn listen(entrance: Entrance, number: usize) -> anyhow::Result<(Connection, hyper::body::Incoming)> {
    let mut connection = Connection::open(&entrance).await?;
    let request = Request::listen();
    let response = connection.send(Method::POST, &request.headers, request.body(Mark::new(number, 0))).await?;
    let (status, mut body) = (response.status(), response.into_body());
    ensure!(status == StatusCode::OK, "a client may not listen: {status}");
    let acknowledged = b"notifications/subscriptions/acknowledged";
    let mut came = Vec::new();
    while memchr::memmem::find(&came, acknowledged).is_none() {
        let frame = body.frame().await.context("a stream has ended before it began")??;
        came.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
    }
    Ok((connection, body))
}
