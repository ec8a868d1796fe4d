"""A double of AgentCore Runtime's `InvokeAgentRuntime` for an MCP server: botocore's model judges each request, botocore's
signer each signature, and what they let through goes to a real MCP server. Keeps sessions as Runtime does, and says of itself that
it is ready (`GetAgentRuntime`). Fails only when told to."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone

import httpx2

from aws.doubles.model import Meant, Model, complaints
from aws.doubles.signature import Identity, Refused, judge
from harness.listener import Answer, Request, listening

ARN = "arn:aws:bedrock-agentcore:eu-west-1:123456789012:runtime/calculator-a1b2c3d4e5"
REGION = "eu-west-1"
OPERATION = "InvokeAgentRuntime"
#: Members of the operation that Runtime passes on to the server, by their headers.
PASSED = ("content-type", "accept", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name")


@dataclass
class Runtime:
    """A running one, before one server."""

    server: str
    identities: list[Identity] = field(default_factory=lambda: [Identity()])
    url: str = ""
    #: What was asked and let through, in order.
    asked: list[Meant] = field(default_factory=list)
    #: What was not let through, and why.
    refused: list[str] = field(default_factory=list)
    #: Access keys that signed what was let through.
    keys: list[str] = field(default_factory=list)
    _sessions: set[str] = field(default_factory=set)
    _failures: list[Answer] = field(default_factory=list)
    _model: Model = field(default_factory=lambda: Model("bedrock-agentcore"))
    _control: Model = field(default_factory=lambda: Model("bedrock-agentcore-control"))

    def environment(self) -> dict[str, str]:
        """What makes a program use it in place of AWS; who the program is, it must know itself."""
        return {"AWS_ENDPOINT_URL_BEDROCK_AGENTCORE": self.url}

    def control(self) -> dict[str, str]:
        """What makes a program ask it, too, how it is: where there is no other control plane."""
        return {"AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL": self.url}

    def fail(self, code: str, message: str = "told to") -> None:
        """Answers the next request with this error, which the model must know."""
        status = self._model.error_status(self._model.operation(OPERATION), code)
        self._failures.append(error(status, code, message))

    def fail_in_json_rpc(self, code: int, message: str) -> None:
        """Answers the next request with HTTP 200 and this error in the server's place."""
        body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
        self._failures.append(Answer(200, json.dumps(body).encode(), {"content-type": "application/json"}))

    def end_sessions(self) -> None:
        """All machines are gone, as after 15 minutes without a request."""
        self._sessions.clear()

    @property
    def sessions(self) -> list[str | None]:
        """The sessions that were asked for, in order."""
        return [meant.members.get("mcpSessionId") for meant in self.asked]

    def answer(self, request: Request) -> Answer:
        """Judges a request and has the server answer it."""
        try:
            identity = judge(request, self.identities, self._model.signing_name, REGION)
        except Refused as refused:
            self.refused.append(str(refused))
            return error(403, refused.code, str(refused))
        if about := self._control.meant(request):
            return self._show(about)
        meant = self._model.meant(request)
        wrong = None if meant is None else meant.complaints
        if wrong is None or wrong or meant.operation.name != OPERATION:
            self.refused.append(f"{request.method} {request.target}: {wrong}")
            return error(400, "ValidationException", "; ".join(wrong or ["no such operation"]))
        self.asked.append(meant)
        self.keys.append(identity.access_key)
        if meant.members["agentRuntimeArn"] != ARN:
            return error(404, "ResourceNotFoundException", f"there is no runtime {meant.members['agentRuntimeArn']}")
        if self._failures:
            return self._failures.pop(0)
        return self._pass_on(request, meant.members.get("mcpSessionId"))

    def _show(self, about: Meant) -> Answer:
        """What the control plane says of the one Runtime that there is."""
        if about.operation.name != "GetAgentRuntime" or about.members["agentRuntimeId"] != ARN.rsplit("/", 1)[1]:
            return error(404, "ResourceNotFoundException", "there is nothing of this name")
        shown = described()
        assert not (wrong := complaints(about.operation.output_shape, shown, about.operation.name)), wrong
        return Answer(200, json.dumps(shown).encode(), {"content-type": "application/json"})

    def _pass_on(self, request: Request, session: str | None) -> Answer:
        if session is None:
            session = str(uuid.uuid4())
            self._sessions.add(session)
        elif session not in self._sessions:
            return error(404, "ResourceNotFoundException", "the session is gone")
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        headers["mcp-session-id"] = session
        got = httpx2.post(self.server, content=request.body, headers=headers, timeout=60, trust_env=False)
        kept = {name: got.headers[name] for name in ("content-type",) if name in got.headers}
        return Answer(got.status_code, got.content, kept | {"mcp-session-id": session})


@contextmanager
def runtime(server: str, *identities: Identity) -> Iterator[Runtime]:
    """A running one before the MCP server at this URL, that lets these in."""
    double = Runtime(server, list(identities) or [Identity()])
    with listening(double.answer) as double.url:
        yield double


def described() -> dict:
    """The answer of `GetAgentRuntime`."""
    now = datetime.now(timezone.utc).isoformat()
    identifier = ARN.rsplit("/", 1)[1]
    return {
        "agentRuntimeArn": ARN,
        "agentRuntimeId": identifier,
        "agentRuntimeName": identifier.split("-")[0],
        "agentRuntimeVersion": "3",
        "createdAt": now,
        "lastUpdatedAt": now,
        "roleArn": "arn:aws:iam::123456789012:role/runtime",
        "networkConfiguration": {"networkMode": "PUBLIC"},
        "lifecycleConfiguration": {},
        "protocolConfiguration": {"serverProtocol": "MCP"},
        "status": "READY",
    }


def error(status: int, code: str, message: str) -> Answer:
    headers = {"content-type": "application/json", "x-amzn-errortype": code}
    return Answer(status, json.dumps({"message": message}).encode(), headers)
