"""CloudWatch Logs that answers as a check scripts it: what no emulator does, such as states of a query and refusals. botocore's
model of the service judges each request, and each scripted answer before it is given. Signatures are not judged here."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
from botocore.validate import ParamValidator

MODEL = botocore.session.get_session().get_service_model("logs")

# "Common Errors" of the service's API reference: any operation may answer with these, so the model does not repeat them.
COMMON = {"ThrottlingException", "AccessDeniedException", "ExpiredTokenException", "InternalFailure", "ServiceUnavailable"}


@dataclass
class Refusal:
    """An error in place of an answer."""

    code: str
    message: str
    status: int = 400
    #: Members of this error's own.
    more: dict = field(default_factory=dict)


@dataclass
class Logs:
    """A running double. The last answer of an operation is given again and again."""

    url: str
    script: dict[str, list[dict | Refusal]]
    #: What was asked for: operation and parameters.
    requests: list[tuple[str, dict]] = field(default_factory=list)
    #: What the model has against requests.
    complaints: list[str] = field(default_factory=list)

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.requests]

    def answer(self, operation: str, params: dict) -> tuple[int, dict]:
        self.requests.append((operation, params))
        self.complaints += faults(MODEL.operation_model(operation).input_shape, params, operation)
        answers = self.script[operation]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Refusal):
            return answer.status, {"__type": answer.code, "message": answer.message} | answer.more
        return 200, answer


@contextmanager
def logs(script: dict[str, list[dict | Refusal]]) -> Iterator[Logs]:
    """Starts one. Fails at the end if a request was none by the model."""
    for operation, answers in script.items():
        for answer in answers:
            check(operation, answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.double = Logs(f"http://127.0.0.1:{server.server_port}", {name: list(said) for name, said in script.items()})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.double
    finally:
        server.shutdown()
        server.server_close()
    assert server.double.complaints == []


def check(operation: str, answer: dict | Refusal) -> None:
    """Whether the service could answer so."""
    model = MODEL.operation_model(operation)
    if isinstance(answer, Refusal):
        errors = {shape.name: shape for shape in model.error_shapes}
        assert answer.code in errors.keys() | COMMON, f"{operation} has no error {answer.code}"
        wrong = faults(errors[answer.code], answer.more, answer.code) if answer.code in errors else list(answer.more)
    else:
        wrong = faults(model.output_shape, answer, operation)
    assert wrong == [], wrong


def faults(shape, value: object, where: str) -> list[str]:
    """What the model has against a value. botocore's validator leaves unknown members, enums, patterns and maxima out."""
    report = ParamValidator().validate(value, shape)
    return [f"{where}: {report.generate_report()}"] if report.has_errors() else list(closer(shape, value, where))


def closer(shape, value: object, where: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members:
                yield from closer(shape.members[name], member, f"{where}.{name}")
            else:
                yield f"{where}: unknown member {name}"
    elif shape.type_name == "list":
        for item in value:
            yield from closer(shape.member, item, where)
    elif shape.type_name == "string":
        pattern = shape.metadata.get("pattern")
        if shape.enum and value not in shape.enum:
            yield f"{where}: {value!r} is none of {shape.enum}"
        if pattern and not re.fullmatch(pattern, value):
            yield f"{where}: {value!r} does not match {pattern}"
    most = shape.metadata.get("max")
    size = len(value) if shape.type_name in ("string", "list") else value
    if most is not None and size > most:
        yield f"{where}: more than {most}"


class Handler(BaseHTTPRequestHandler):
    """The wire: JSON 1.1."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        prefix, _, operation = self.headers["x-amz-target"].partition(".")
        assert prefix == MODEL.metadata["targetPrefix"], prefix
        status, answer = self.server.double.answer(operation, json.loads(body))
        sent = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        pass
