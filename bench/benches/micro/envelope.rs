//! Reading messages, and changing the name in one.

use std::hint::black_box;

use bytes::Bytes;
use causeway_bench::form::{self, Mark, Request, Size, Speaks};
use causeway_core::wire::{Envelope, ObjectEdit, result_message};
use criterion::{Criterion, Throughput};

pub(super) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("envelope");
    let call = Request::call(Speaks::Modern, "target___small").body(Mark::new(0, 0));
    group.throughput(Throughput::Bytes(call.len() as u64));
    group.bench_function("read a call", |bencher| {
        bencher.iter(|| Envelope::parse(black_box(call.clone())).expect("it is a message"));
    });
    let envelope = Envelope::parse(call).expect("it is a message");
    group.bench_function("change its name", |bencher| {
        bencher.iter(|| {
            let mut params = ObjectEdit::parse(black_box(envelope.params().unwrap_or("{}"))).expect("an object");
            params.set("name", r#""small""#);
            params.finish()
        });
    });
    for size in Size::ALL {
        let (before, after) = form::result(Speaks::Modern, size);
        let answer = Bytes::from(result_message("1", &[before, after].concat()));
        group.throughput(Throughput::Bytes(answer.len() as u64));
        group.bench_function(format!("read a {} answer", size.tool()), |bencher| {
            bencher.iter(|| Envelope::parse(black_box(answer.clone())).expect("it is a message"));
        });
    }
    group.finish();
}
