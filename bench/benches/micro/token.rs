//! Letting a caller in by a JWT: one that was verified before, and one that was not.

use std::{hint::black_box, time::Duration};

use causeway::{config, inbound::Inbound, stored::Sources};
use causeway_bench::issuer::{CALLER, CALLER_SCOPE, Issuer};
use causeway_oidc::clock::Clock;
use criterion::Criterion;
use http::{Request, header, request::Parts};
use tokio::runtime::Runtime;

pub(super) fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the system gives a runtime");
    let issuer = runtime.block_on(Issuer::start()).expect("it starts");
    let (inbound, token) = (inbound(&issuer), issuer.caller_token());
    let known = head(&token);
    let mut group = criterion.benchmark_group("token");
    group.bench_function("known", |bencher| {
        bencher.iter(|| runtime.block_on(inbound.authenticate(black_box(&known))).expect("it is good"));
    });
    let verifier = causeway_oidc::Verifier::new(issuer.discovery_url(), http(), Clock::system(), Duration::ZERO);
    group.bench_function("verified anew", |bencher| {
        bencher.iter(|| runtime.block_on(verifier.verify(black_box(&token))).expect("it is good"));
    });
    group.finish();
}

/// The authorizer that a config.toml with this issuer makes.
fn inbound(issuer: &Issuer) -> Inbound {
    let text = format!(
        "[authorizer.custom_jwt]\ndiscovery_url = \"{}\"\nallowed_clients = [\"{CALLER}\"]\n\
         allowed_scopes = [\"{CALLER_SCOPE}\"]\n[[targets]]\nname = \"t\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n",
        issuer.discovery_url()
    );
    let config = causeway_bench::candidate::resolved(&text).expect("it has no mistake");
    let sources: Sources = causeway::app::sources(&config, Clock::system()).expect("there is an HTTP client");
    let authorizer: &config::Authorizer = &config.authorizer;
    Inbound::new(authorizer, &sources)
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("there is an HTTP client")
}

fn head(token: &str) -> Parts {
    let bearer = format!("Bearer {token}");
    let request = Request::post("/mcp").header(header::AUTHORIZATION, bearer).body(());
    request.expect("it is a request").into_parts().0
}
