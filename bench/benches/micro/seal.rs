//! Sealing and opening state of the size of a session.

use std::{hint::black_box, time::Duration};

use causeway_core::seal::Sealer;
use criterion::Criterion;
use serde_json::{Value, json};

const PURPOSE: &str = "session";
const OWNER: &str = "caller";
const NOW: Duration = Duration::from_secs(1_785_240_000);

pub(super) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("seal");
    let secrets = [[1; 32], [2; 32]];
    let sealer = Sealer::new(secrets.iter().map(<[u8; 32]>::as_slice));
    let before = Sealer::new([secrets[1].as_slice()]);
    let state =
        json!({"version": "2025-11-25", "client": "bench", "capabilities": {"elicitation": {}, "sampling": {}}});
    let expires = NOW + Duration::from_secs(3600);
    group.bench_function("seal", |bencher| {
        bencher.iter(|| sealer.seal(PURPOSE, OWNER, expires, black_box(&state)));
    });
    for (which, sealed) in [
        ("open", sealer.seal(PURPOSE, OWNER, expires, &state)),
        ("open under the key of before", before.seal(PURPOSE, OWNER, expires, &state)),
    ] {
        group.bench_function(which, |bencher| {
            bencher.iter(|| sealer.open::<Value>(PURPOSE, OWNER, NOW, black_box(&sealed)).expect("it is ours"));
        });
    }
    group.finish();
}
