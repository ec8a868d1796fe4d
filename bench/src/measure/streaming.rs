//! Whether a large result is passed on while it comes: the upstream stops in its middle, and what has come by then is counted.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::time::{sleep, timeout};

use crate::{
    candidate::Candidate,
    form::Size,
    ground::Ground,
    load,
    results::{self, Results},
};

/// What has not come by then is held.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks.
const BREATH: Duration = Duration::from_millis(5);

/// Each candidate in each form that it serves.
///
/// # Errors
/// A candidate does not give the whole result once it is written whole.
pub async fn streaming(ground: &Ground, candidates: &[Candidate], results: &mut Results) -> anyhow::Result<()> {
    for candidate in candidates {
        for form in candidate.forms() {
            let work = candidate.halves(form).context("it serves this form")?;
            let (came, answered) = load::watched(&work).await?;
            let begun = Instant::now();
            while came.load(Ordering::Relaxed) < Size::Large.filling() / 2 && begun.elapsed() < PATIENCE {
                sleep(BREATH).await;
            }
            let came = came.load(Ordering::Relaxed) as u64;
            ground.upstream.go_on();
            let answered = timeout(PATIENCE * 5, answered).await.context("the rest did not come");
            answered??.with_context(|| format!("{}: a result that stops in its middle", candidate.name()))?;
            results.streaming.push(results::Streaming { candidate: candidate.name().to_owned(), form, came });
        }
    }
    Ok(())
}
