"""Records docs/observability.md from observability.md and real runs. Only addresses, times and tokens, which change with each run, are
left as they came or taken out; the spans are shown as OpenTelemetry's own types print them."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from google.protobuf.json_format import MessageToDict

from harness.collector import attributes, collector
from harness.gateway import ROOT, dev, post
from harness.process import CLEAN, until
from people.record_cli import ran, write
from people.test_observability import PARENT, call

TEXT = Path(__file__).with_name("observability.md")


def main() -> None:
    with surroundings() as (env, cwd):
        text = ran(TEXT, env, cwd)
    write(text, TEXT.name)


@contextmanager
def surroundings() -> Iterator[tuple[dict[str, str], str]]:
    """`causeway dev` with an audit log and a collector, after the calls that the text tells of."""
    with ExitStack() as started:
        home = Path(started.enter_context(tempfile.TemporaryDirectory()))
        got = started.enter_context(collector())
        audit = home / "audit.jsonl"
        config = (ROOT / "config.toml").read_text() + f'\n[audit]\nfile = "{audit}"\n'
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": got.url, "RUST_LOG": "warn,causeway=debug"}
        gateway = started.enter_context(dev(config, env))
        for _ in range(3):
            call(gateway, "calculator___add_numbers", {"a": 2, "b": 3})
        call(gateway, "calculator___no_such_tool", {})
        post(gateway.endpoint, method="tools/list")
        traced = {"traceparent": PARENT, "x-request-id": "order-4712"}
        call(gateway, "hello___greet_user", {"name": "Alice"}, traced)
        of_trace = lambda: [span for span in got.spans if span.trace_id.hex() == PARENT.split("-")[1]]
        until(lambda: len(of_trace()) == 2, "both spans came")
        until(lambda: audit.read_text().count("\n") == 6, "six calls are written")
        log, spans = home / "log", home / "spans"
        log.write_text("\n".join(line for line in gateway.process.errors if line.startswith("{")))
        spans.write_text("\n".join(shown(span) for span in sorted(of_trace(), key=lambda span: span.kind)))
        variables = {
            "ADMIN": gateway.admin,
            "GATEWAY": gateway.endpoint,
            "TOKEN": gateway.token,
            "AUDIT": str(audit),
            "LOG": str(log),
            "SPANS": str(spans),
        }
        yield CLEAN | {"PATH": os.environ["PATH"]} | variables, str(home)


def shown(span) -> str:
    known = MessageToDict(span)
    kept = {key: known.get(key) for key in ("name", "kind")}
    ids = {"traceId": span.trace_id.hex(), "spanId": span.span_id.hex(), "parentSpanId": span.parent_span_id.hex()}
    return json.dumps(kept | ids | {"attributes": attributes(span)}, indent=1)


if __name__ == "__main__":
    main()
