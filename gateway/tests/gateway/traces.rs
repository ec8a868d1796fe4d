//! Traces through the gateway: what a client brings reaches the target in both places where MCP looks for it, and what the gateway
//! adds stands between the two, at a collector that decodes OTLP.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use causeway::config::{Config, Otlp};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::any_value::Value as AnyValue,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::{
    bridge_asking::AskingTarget,
    bridge_talk::{Era, able, retry},
    caller::Caller,
    command::run_with,
    fake_target::{Asked, FakeTarget, Speaks},
    harness::{Gateway, http_target},
    issuer::Issuer,
};

const PATIENCE: Duration = Duration::from_secs(60);
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A collector as an operator would have one.
struct Collector {
    url: String,
    got: Arc<Got>,
}

#[derive(Default)]
struct Got {
    spans: watch::Sender<Vec<Span>>,
    metrics: watch::Sender<Vec<String>>,
    headers: watch::Sender<HeaderMap>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Got::default());
        let router = Router::new().route("/v1/traces", post(traces)).route("/v1/metrics", post(metrics));
        tokio::spawn(axum::serve(listener, router.with_state(Arc::clone(&got))).into_future());
        Self { url, got }
    }

    async fn spans(&self, wanted: usize) -> Vec<Span> {
        let mut spans = self.got.spans.subscribe();
        let spans = timeout(PATIENCE, spans.wait_for(|spans| spans.len() >= wanted)).await;
        spans.expect("the spans come").unwrap().clone()
    }
}

async fn traces(State(got): State<Arc<Got>>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    got.headers.send_replace(headers);
    let spans = request.resource_spans.into_iter().flat_map(|spans| spans.scope_spans).flat_map(|scope| scope.spans);
    got.spans.send_modify(|all| all.extend(spans));
}

async fn metrics(State(got): State<Arc<Got>>, body: Bytes) {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let all = request.resource_metrics.into_iter().flat_map(|metrics| metrics.scope_metrics);
    let names = all.flat_map(|scope| scope.metrics).map(|metric| metric.name);
    got.metrics.send_modify(|known| known.extend(names));
}

/// Exports to `url`.
fn exporting(config: &mut Config, url: &str) {
    let of = |path: &str| Some(format!("{url}{path}").parse().unwrap());
    let mut key = http::HeaderValue::from_static("key-of-the-collector");
    key.set_sensitive(true);
    config.telemetry.otlp = Some(Otlp {
        traces: of("/v1/traces"),
        metrics: of("/v1/metrics"),
        headers: vec![(http::HeaderName::from_static("authorization"), key)],
        ratio: 1.0,
        timeout: PATIENCE,
        metrics_interval: Duration::from_millis(20),
        resource: vec![("service.name".into(), "test".into())],
    });
}

/// What a target got of a trace: in headers, and in `_meta`.
fn seen(asked: &Asked) -> [(Option<String>, Option<String>); 3] {
    let params: Value = serde_json::from_str(&asked.params).unwrap();
    ["traceparent", "tracestate", "baggage"].map(|name| {
        let header = asked.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (header, params["_meta"][name].as_str().map(ToOwned::to_owned))
    })
}

/// Over standard streams as over HTTP: spans, and what is counted of calls.
#[tokio::test]
async fn a_client_on_standard_streams_is_seen_too() {
    let (collector, fake) = (Collector::start().await, FakeTarget::start(Speaks::Modern));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    let config = format!(
        "authorizer = \"none\"\ntelemetry.otlp_endpoint = \"{}\"\n[[targets]]\nname = \"fake\"\nhttp.endpoint = \"{}\"\n",
        collector.url,
        fake.endpoint()
    );
    std::fs::write(&path, config).unwrap();
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"name": "fake___echo", "arguments": {}, "_meta": meta});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let ended = run_with(&["stdio", "--config", path.to_str().unwrap()], &[], &format!("{call}\n")).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.json()["id"], 1);
    let spans = collector.spans(2).await;
    assert!(spans.iter().any(|span| span.kind() == SpanKind::Server), "{spans:?}");
    let counted = collector.got.metrics.borrow().clone();
    assert!(counted.iter().any(|name| name.contains("causeway")), "{counted:?}");
}

#[tokio::test]
async fn without_export_what_a_client_brings_goes_on_as_it_is() {
    for speaks in [Speaks::Modern, Speaks::Sessions, Speaks::Stateless] {
        let fake = FakeTarget::start(speaks);
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        let both = |text: &str| (Some(text.to_owned()), Some(text.to_owned()));
        let asked = |number: usize| fake.asked("tools/call")[number].clone();
        let alice = gateway.caller("alice").modern();
        let traced = alice.clone().header("traceparent", PARENT).header("tracestate", "a=1").header("baggage", "b=2");
        traced.try_call("t___echo", json!({})).await;
        assert_eq!(seen(&asked(0)), [both(PARENT), both("a=1"), both("b=2")], "{speaks:?}");
        // What stands in the message counts for more than a proxy's header.
        let other = PARENT.replace("00f0", "11f1");
        let meta = json!({"name": "t___echo", "arguments": {}, "_meta": {"traceparent": other, "x": 1}});
        traced.request("tools/call", meta).await;
        assert_eq!(seen(&asked(1)), [both(&other), (None, None), (None, None)], "{speaks:?}");
        alice.try_call("t___echo", json!({})).await;
        assert_eq!(seen(&asked(2)), [(None, None), (None, None), (None, None)], "{speaks:?}");
        let id = asked(2).headers["x-request-id"].to_str().unwrap().to_owned();
        assert!(gateway.calls.recent().iter().any(|record| *record.request_id == *id), "{id}");
    }
}

#[tokio::test]
async fn the_gateways_spans_stand_between_client_and_target() {
    let fake = FakeTarget::start(Speaks::Modern);
    let collector = Collector::start().await;
    let change = |config: &mut Config| exporting(config, &collector.url);
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], change).await;
    let alice = gateway.caller("alice").modern().header("traceparent", PARENT).header("tracestate", "a=1");
    alice.try_call("t___echo", json!({})).await;
    let spans = collector.spans(2).await;
    let of_kind = |kind: SpanKind| spans.iter().find(|span| span.kind == i32::from(kind)).unwrap();
    let (server, client) = (of_kind(SpanKind::Server), of_kind(SpanKind::Client));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&server.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!((hex(&server.parent_span_id), &client.parent_span_id), ("00f067aa0ba902b7".into(), &server.span_id));
    assert_eq!((server.name.as_str(), client.name.as_str()), ("tools/call t___echo", "tools/call echo"));
    let [(header, meta), ..] = seen(&fake.asked("tools/call")[0]);
    let expected = format!("00-{}-{}-01", hex(&client.trace_id), hex(&client.span_id));
    assert_eq!((header.as_deref(), meta.as_deref()), (Some(&*expected), Some(&*expected)));
    let mut attributes: Vec<String> = server
        .attributes
        .iter()
        .filter(|attribute| !["latency_ms", "overhead_latency_ms", "causeway.request_id"].contains(&&*attribute.key))
        .map(|attribute| {
            let value = match attribute.value.as_ref().unwrap().value.as_ref().unwrap() {
                AnyValue::StringValue(text) => text.clone(),
                other => format!("{other:?}"),
            };
            format!("{}: {value}", attribute.key)
        })
        .collect();
    attributes.sort();
    insta::assert_snapshot!(attributes.join("\n"), @r#"
    causeway.outcome: ok
    causeway.target: t
    enduser.id: alice
    gateway.name: causeway
    gen_ai.operation.name: execute_tool
    gen_ai.tool.name: t___echo
    http.request.method: POST
    http.response.status_code: IntValue(200)
    mcp.method.name: tools/call
    network.transport: tcp
    tool.name: t___echo
    url.path: /mcp
    "#);
    assert_eq!(collector.got.headers.borrow()["authorization"], "key-of-the-collector");
    let mut metrics = collector.got.metrics.subscribe();
    let known = |names: &Vec<String>| names.iter().any(|name| name == "causeway_duration_seconds");
    timeout(PATIENCE, metrics.wait_for(known)).await.expect("metrics come").unwrap();
}

#[tokio::test]
async fn what_is_left_is_exported_at_the_end() {
    let collector = Collector::start().await;
    let gateway =
        Gateway::start_with([http_target("t", "http://127.0.0.1:1/mcp")], |config| exporting(config, &collector.url))
            .await;
    let answer = gateway.caller("alice").request("ping", json!({})).await;
    assert_eq!(answer.status, 200);
    gateway.stop().await.unwrap();
    let names: Vec<String> = collector.got.spans.borrow().iter().map(|span| span.name.clone()).collect();
    assert_eq!(names, ["ping"]);
}

/// Those who sum up spans by their names count on few names.
#[tokio::test]
async fn no_client_can_make_names_of_spans() {
    let fake = FakeTarget::start(Speaks::Modern);
    let collector = Collector::start().await;
    let change = |config: &mut Config| exporting(config, &collector.url);
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], change).await;
    let alice = gateway.caller("alice");
    alice.try_call("t___made_up", json!({})).await;
    alice.request("made/up", json!({})).await;
    alice.post("no message").await;
    alice.send(http::Method::PUT, "").await;
    let spans = collector.spans(4).await;
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["tools/call", "unknown", "POST", "unknown"]);
    let of_http =
        |span: &Span| span.attributes.iter().find(|it| it.key == "http.request.method").unwrap().value.clone();
    let methods: Vec<_> = spans.iter().map(|span| of_http(span).unwrap().value.unwrap()).collect();
    let said = |text: &str| AnyValue::StringValue(text.into());
    assert_eq!(methods, [said("POST"), said("POST"), said("POST"), said("_OTHER")]);
}

/// The answer comes under another request than the one that began it.
#[tokio::test]
async fn an_attempt_that_outlasts_its_call_is_told_whole() {
    let asking = AskingTarget::start();
    let collector = Collector::start().await;
    let gateway = Gateway::start_with([asking.target()], |config| exporting(config, &collector.url)).await;
    let alice = able(&gateway, Era::Modern).await;
    let params = json!({"name": "t___echo", "arguments": {}});
    let asked = alice.request("tools/call", params.clone()).await.result();
    alice.request("tools/call", retry(&params, &asked)).await.result();
    let spans = collector.spans(3).await;
    let attempt = spans.iter().find(|span| span.kind == i32::from(SpanKind::Client)).unwrap();
    let calls: Vec<&Span> = spans.iter().filter(|span| span.kind == i32::from(SpanKind::Server)).collect();
    assert_eq!(attempt.name, "tools/call echo");
    assert!(attempt.attributes.iter().any(|attribute| attribute.key == "causeway.target"), "{attempt:?}");
    assert_eq!(attempt.status, None, "it was answered");
    assert_eq!(calls.iter().filter(|call| call.span_id == attempt.parent_span_id).count(), 1);
    assert!(calls.iter().all(|call| call.name == "tools/call t___echo"), "{calls:?}");
}

/// It takes connections and never answers.
#[tokio::test]
async fn a_collector_that_hangs_does_not_hold_up_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let change = |config: &mut Config| exporting(config, &url);
    let gateway = Gateway::start_with([http_target("t", "http://127.0.0.1:1/mcp")], change).await;
    gateway.caller("alice").request("ping", json!({})).await;
    let (_asked, _) = listener.accept().await.unwrap();
    timeout(PATIENCE, gateway.stop()).await.expect("it ends before an export would be given up").unwrap();
}

#[tokio::test]
async fn spans_that_a_collector_refuses_are_counted() {
    let router = Router::new().fallback(|| async { http::StatusCode::BAD_REQUEST });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    let gateway = Gateway::launch(Issuer::start().await, [], |config| exporting(config, &url)).await;
    gateway.caller("alice").request("ping", json!({})).await;
    let dropped = async {
        let metrics = async || Caller::new(&format!("{}/mcp", gateway.admin)).get("/metrics").await;
        while !metrics().await.text().lines().any(|line| line == "causeway_spans_dropped_total 1") {}
    };
    timeout(PATIENCE, dropped).await.expect("what was refused is counted");
}

#[tokio::test]
async fn a_collector_that_is_down_costs_nothing() {
    let change = |config: &mut Config| exporting(config, "http://127.0.0.1:1");
    let fake = FakeTarget::start(Speaks::Modern);
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], change).await;
    let alice = gateway.caller("alice").modern();
    for _ in 0..100 {
        assert_eq!(alice.try_call("t___echo", json!({})).await.status, 200);
    }
}
