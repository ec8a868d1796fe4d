//! Signing a request with Signature Version 4.

use std::{hint::black_box, time::Duration};

use bytes::Bytes;
use causeway_aws::{
    Credentials,
    sign::{Scope, sign},
};
use causeway_bench::form::{Mark, Request, Size, Speaks};
use criterion::{BatchSize, Criterion, Throughput};
use http::request::Parts;

const NOW: Duration = Duration::from_secs(1_785_240_000);
const SCOPE: Scope<'static> = Scope { service: "bedrock-agentcore", region: "us-east-1" };

pub(super) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sigv4");
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret-of-the-benchmark", None, None, "bench");
    let request = Request::call(Speaks::Modern, "small");
    let small = request.body(Mark::new(0, 0));
    let medium = Bytes::from(vec![b'.'; Size::Medium.filling()]);
    for (name, body) in [("a call", small), ("20 kB", medium)] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            let signed = |mut head: Parts| {
                sign(&mut head, black_box(&body), &credentials, SCOPE, NOW).expect("it can be signed");
                head
            };
            bencher.iter_batched(|| head(&request), signed, BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn head(request: &Request) -> Parts {
    let url = "https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/a/invocations?qualifier=DEFAULT";
    let mut head = http::Request::post(url);
    if let Some(headers) = head.headers_mut() {
        *headers = request.headers.clone();
    }
    head.body(()).expect("it is a request").into_parts().0
}
