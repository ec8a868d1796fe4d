"""What Causeway says about itself, read by others' programs: Prometheus text by Prometheus' own parser, OTLP by OpenTelemetry's
types, traces by a server made with the Python SDK; and that nothing of it holds what is nobody's business."""

import json
import os
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from harness.collector import Collector, attributes, collector
from harness.gateway import PEERS, ROOT, Gateway, dev, post, serve
from harness.process import Process, until

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACED = [sys.executable, str(PEERS / "traced_target.py")]
#: An argument that must be nowhere.
SENTINEL = "sentinel-7f3a"


@dataclass
class Watched:
    """A gateway in use, and all that can be seen of it."""

    gateway: Gateway
    collector: Collector
    audit: Path

    def metrics(self) -> str:
        return httpx2.get(f"{self.gateway.admin}/metrics", trust_env=False).raise_for_status().text

    def samples(self, name: str) -> dict[tuple, float]:
        families = text_string_to_metric_families(self.metrics())
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return {tuple(sorted(sample.labels.items())): sample.value for sample in samples}

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.audit.read_text().splitlines()]


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    """`causeway dev` with all of it turned on and turned up, after some calls."""
    with ExitStack() as started:
        home = Path(started.enter_context(tempfile.TemporaryDirectory()))
        got = started.enter_context(collector())
        audit = f'\n[audit]\nfile = "{home}/audit.jsonl"\narguments = true\n[telemetry]\nmetrics_seconds = 1\n'
        config = (ROOT / "config.toml").read_text().replace("\n[telemetry]\n", "\n") + audit
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": got.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20Y2F1c2V3YXk6a2V5",
            "OTEL_SERVICE_NAME": "interop",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "RUST_LOG": "debug",
        }
        gateway = started.enter_context(dev(config, variables))
        for _ in range(3):
            call(gateway, "calculator___add_numbers", {"a": 2, "b": 3})
        call(gateway, "hello___greet_user", {"name": SENTINEL, "password": SENTINEL})
        call(gateway, "calculator___no_such_tool", {})
        assert post(gateway.endpoint, method="tools/list").status_code == 401
        seen = Watched(gateway, got, home / "audit.jsonl")
        until(lambda: len(seen.lines()) == 6, "six calls are written")
        yield seen


def call(gateway: Gateway, name: str, arguments: dict, headers: dict | None = None, meta: dict | None = None) -> dict:
    params = {"name": name, "arguments": arguments} | ({"_meta": meta} if meta else {})
    bearer = {"Authorization": f"Bearer {gateway.token}"} if gateway.token else {}
    accept = {"Accept": "application/json, text/event-stream"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    answer = httpx2.post(gateway.endpoint, json=body, headers=accept | bearer | (headers or {}), trust_env=False)
    return {"message": message(answer), "headers": answer.headers}


def message(answer: httpx2.Response) -> dict:
    if answer.headers["content-type"] == "application/json":
        return answer.json()
    data = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return json.loads(data[-1])


def test_prometheus_reads_the_metrics(watched: Watched) -> None:
    families = list(text_string_to_metric_families(watched.metrics()))
    names = [family.name for family in families]
    assert len(names) == len(set(names)), "a family stands there once"
    assert all(family.documentation and family.type != "unknown" for family in families), families
    added = {"method": "tools/call", "target": "calculator", "tool": "add_numbers"}
    invocations = watched.samples("causeway_invocations_total")
    assert invocations[tuple(sorted((added | {"outcome": "ok"}).items()))] == 3
    unknown = {"method": "tools/call", "target": "unknown", "tool": "unknown", "outcome": "error"}
    assert invocations[tuple(sorted(unknown.items()))] == 1
    assert not any("no_such_tool" in str(labels) for labels in invocations), "a client's own words are no label"
    for name in ("latency", "duration", "target_execution"):
        of_calls(watched, f"causeway_{name}_seconds")


def of_calls(watched: Watched, name: str) -> None:
    """Buckets that add up."""
    counts = watched.samples(f"{name}_count")
    buckets = watched.samples(f"{name}_bucket")
    assert sum(counts.values()) >= 4
    for labels, count in counts.items():
        own = [(dict(key)["le"], value) for key, value in buckets.items() if set(labels) <= set(key)]
        values = [value for _, value in sorted(own, key=lambda one: float(one[0]))]
        assert values == sorted(values) and values[-1] == count, (labels, own)


def test_the_metrics_tell_how_the_gateway_is(watched: Watched) -> None:
    up = watched.samples("causeway_target_up")
    assert up == {(("target", name),): 1 for name in ("calculator", "hello", "cloudwatch-insights")}
    fetches = watched.samples("causeway_token_cache_fetches_total")
    left = watched.samples("causeway_token_cache_seconds_left")
    assert fetches[(("target", "calculator"),)] >= 1 and left[(("target", "calculator"),)] > 0
    assert watched.samples("causeway_catalog_entries")[(("kind", "tools"),)] == 6
    assert watched.samples("process_resident_memory_bytes")[()] > 1_000_000


def test_a_collector_reads_spans_and_metrics(watched: Watched) -> None:
    got = watched.collector
    until(lambda: "causeway_invocations_total" in got.metrics and len(got.spans) >= 10, "spans and metrics came")
    assert got.headers["authorization"] == "Basic Y2F1c2V3YXk6a2V5"
    assert (got.resource["service.name"], got.resource["deployment.environment.name"]) == ("interop", "test")
    spans = {span.span_id: span for span in got.spans}
    attempts = [span for span in got.spans if span.kind == Span.SPAN_KIND_CLIENT]
    assert len(attempts) == 4, "one for each call that reached a target"
    for attempt in attempts:
        whole = spans[attempt.parent_span_id]
        assert whole.kind == Span.SPAN_KIND_SERVER and whole.trace_id == attempt.trace_id
        assert whole.start_time_unix_nano <= attempt.start_time_unix_nano
        assert attempt.end_time_unix_nano <= whole.end_time_unix_nano + 1_000_000
    refused = next(span for span in got.spans if attributes(span).get("http.response.status_code") == 401)
    assert (refused.status.code, attributes(refused)["error.type"]) == (2, "missing_token")
    unknown = next(span for span in got.spans if attributes(span).get("jsonrpc.error.code") == -32602)
    assert attributes(unknown)["gateway.name"] == "causeway"
    histogram = got.metrics["causeway_duration_seconds"].histogram
    assert histogram.aggregation_temporality == 2 and got.metrics["causeway_duration_seconds"].unit == "s"
    point = histogram.data_points[0]
    assert sum(point.bucket_counts) == point.count and len(point.bucket_counts) == len(point.explicit_bounds) + 1


def test_the_audit_log_says_who_did_what(watched: Watched) -> None:
    lines = watched.lines()
    said = [(line.get("name"), line.get("target"), line["outcome"], line["status"]) for line in lines]
    assert said == [
        *[("calculator___add_numbers", "calculator", "ok", 200)] * 3,
        ("hello___greet_user", "hello", "ok", 200),
        ("calculator___no_such_tool", None, "error", 200),
        (None, None, "refused", 401),
    ]
    assert all(line["caller"] and line["client"] and line["issuer"] for line in lines[:5])
    assert lines[3]["arguments"] == {"name": SENTINEL, "password": "[redacted]"}
    assert stat.S_IMODE(watched.audit.stat().st_mode) == 0o600


def test_ids_lead_from_an_answer_to_the_log(watched: Watched) -> None:
    answer = call(watched.gateway, "calculator___add_numbers", {"a": 1, "b": 1}, {"x-request-id": "interop-1"})
    assert answer["headers"]["x-request-id"] == "interop-1"
    errors = watched.gateway.process.errors
    lines = until(lambda: [json.loads(line) for line in errors if "interop-1" in line], "it is in the log")
    assert all(line["request_id"] == "interop-1" for line in lines)
    until(lambda: any(line["request_id"] == "interop-1" for line in watched.lines()), "it is in the audit log")
    assert any(line["trace_id"] and line.get("target.name") == "calculator" for line in lines)


def test_nothing_secret_is_in_any_of_it(watched: Watched) -> None:
    """With the log turned up to `debug`. The audit log was told to keep arguments, and keeps only those that sound harmless."""
    process = watched.gateway.process
    audit = watched.audit.read_text()
    # The banner is for whoever starts the program, and holds the token on purpose.
    outputs = {
        "log": "\n".join(process.errors),
        "metrics": watched.metrics(),
        "export": watched.collector.raw.decode("utf-8", "replace"),
        "ready": httpx2.get(f"{watched.gateway.admin}/readyz", trust_env=False).text,
    }
    token = watched.gateway.token
    for name, text in (outputs | {"audit": audit}).items():
        assert token not in text and token.split(".")[2] not in text, name
        assert "eyJ" not in text, f"no token at all is in the {name}"
    for name, text in outputs.items():
        assert SENTINEL not in text, f"no argument is in the {name}"
    assert audit.count(SENTINEL) == 1


def target(name: str, kind: str, started: ExitStack) -> str:
    if kind == "stdio":
        return f'[[targets]]\nname = "{name}"\nstdio.command = {json.dumps([*TRACED, "stdio"])}\n'
    process = started.enter_context(Process([*TRACED, kind]))
    url = json.loads(process.first_line("it served"))["url"]
    return f'[[targets]]\nname = "{name}"\nhttp.endpoint = "{url}"\n'


KINDS = ["stdio", "stateful", "stateless"]


@pytest.mark.parametrize("exporting", [False, True], ids=["passed through", "exported"])
def test_a_trace_goes_through_to_a_server_of_the_python_sdk(exporting: bool) -> None:
    with ExitStack() as started:
        got = started.enter_context(collector())
        targets = "\n".join(target(kind, kind, started) for kind in KINDS)
        export = f'telemetry.otlp_endpoint = "{got.url}"\n' if exporting else ""
        config = f'authorizer = "none"\ngateway.listen = "127.0.0.1:0"\n{export}{targets}'
        gateway = started.enter_context(serve(config))
        brought = {"traceparent": PARENT, "tracestate": "vendor=1", "baggage": "user=alice"}
        for kind in KINDS:
            for way in ({"headers": brought}, {"meta": brought}):
                answer = call(gateway, f"{kind}___trace", {}, **way)
                saw = answer["message"]["result"]["structuredContent"]
                saw = saw.get("result", saw)
                places = ["meta"] if kind == "stdio" else ["meta", "headers"]
                for place in places:
                    came = {name: saw[place].get(name) for name in brought}
                    if exporting:
                        span = span_of(got, came["traceparent"])
                        assert span.parent_span_id and span.trace_id.hex() == PARENT.split("-")[1], (kind, way)
                        came["traceparent"] = PARENT
                    assert came == brought, (kind, way, place)
                if kind != "stdio":
                    assert saw["headers"]["x-request-id"] == answer["headers"]["x-request-id"]


def span_of(got: Collector, parent: str) -> Span:
    """The span that a `traceparent` names."""
    found = lambda: next((span for span in got.spans if span.span_id.hex() == parent.split("-")[2]), None)
    span = until(found, "its span is exported")
    assert span.kind == Span.SPAN_KIND_CLIENT
    return span


def test_the_log_is_made_anew_after_a_hang_up() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "audit.jsonl"
        config = (
            f'authorizer = "none"\ngateway.listen = "127.0.0.1:0"\naudit.file = "{path}"\n'
            '[[targets]]\nname = "t"\nhttp.endpoint = "http://127.0.0.1:1/mcp"\n'
        )
        with serve(config) as gateway:
            post(gateway.endpoint, method="ping")
            until(lambda: path.exists() and path.read_text().count("\n") == 1, "the first call is written")
            os.rename(path, f"{path}.1")
            gateway.process.signal(signal.SIGHUP)
            # A line may be on its way to the old file still: the next one after the signal was heeded is not.
            until(lambda: post(gateway.endpoint, method="ping") and path.exists(), "the file is made anew")
            gateway.process.signal(signal.SIGTERM)
            gateway.process.wait()
            after = [json.loads(line) for line in path.read_text().splitlines()]
            assert after and all(line["method"] == "ping" for line in after)
