"""An OpenTelemetry collector: takes OTLP over HTTP and reads it with OpenTelemetry's own Python types. Judges nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from harness.listener import Answer, Request, listening


class Collector:
    """What came so far."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Span] = []
        #: The last of each name.
        self.metrics: dict[str, Metric] = {}
        self.resource: dict[str, str] = {}
        #: Of the last export.
        self.headers: dict[str, str] = {}
        #: Everything, as bytes.
        self.raw = b""

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.headers, self.raw = headers, self.raw + body
        if path == "/v1/traces":
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resource = {one.key: one.value.string_value for one in group.resource.attributes}
                self.spans += [span for scope in group.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.metrics |= {metric.name: metric for scope in group.scope_metrics for metric in scope.metrics}
        else:
            raise AssertionError(f"nothing is exported to {path}")


@contextmanager
def collector() -> Iterator[Collector]:
    """One on a free port."""
    got = Collector()

    def answer(request: Request) -> Answer:
        got.take(request.target, request.headers, request.body)
        return Answer(200, b"", {"content-type": "application/x-protobuf"})

    with listening(answer) as got.url:
        yield got


def attributes(span: Span) -> dict[str, object]:
    """The attributes of a span as Python's own values."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
