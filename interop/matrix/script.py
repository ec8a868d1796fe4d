"""What a client does with each server, and what it must see. Runs nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.gateway import Gateway, post

#: Not one server but the gateway over all of them.
ALL = "all"
#: What clients show, in the order in which it is said.
FEATURES = [
    "list",
    "call",
    "progress",
    "read",
    "prompt",
    "complete",
    "cancel",
    "elicit",
    "visit",
    "sample",
    "roots",
    "list changed",
    "updated",
]

WATCHED = "test://watched-resource"
REPLY = "Paris"
ASKED = "What is your name?"


@dataclass(frozen=True)
class Step:
    """One thing that a client does."""

    server: str
    #: What it shows: a column of the table.
    feature: str
    do: dict
    #: What the client's line must say: members that are equal, or a judgement of one.
    expected: dict[str, object]

    def wrong(self, line: dict) -> str | None:
        """What of the line is not as expected."""
        for member, wanted in self.expected.items():
            seen = line.get(member)
            if seen is None or not (wanted(seen) if callable(wanted) else seen == wanted):
                return line.get("error") or f"{member} is {seen!r}"
        return None


@dataclass
class Server:
    """The steps with one server, written down one after the other."""

    name: str
    steps: list[Step] = field(default_factory=list)

    def step(self, feature: str, do: str, about: dict, **expected: object) -> "Server":
        self.steps.append(Step(self.name, feature, {"do": do} | about, expected))
        return self

    def call(self, tool: str, arguments: dict, feature: str = "call", **expected: object) -> "Server":
        about = {"tool": f"{self.name}___{tool}", "arguments": arguments}
        if reports := expected.get("progress"):
            about["reports"] = len(reports)
            # TypeScript's modern client reports each question as progress of its own making, without a total.
            expected["progress"] = lambda seen: [report for report in seen if report[1] is not None] == reports
        return self.step(feature, "call", about, **({"isError": False} | expected))

    def prompt(self, name: str, arguments: dict, text: str) -> "Server":
        return self.step("prompt", "prompt", {"name": f"{self.name}___{name}", "arguments": arguments}, text=text)

    def read(self, uri: str, text: object) -> "Server":
        return self.step("read", "read", {"uri": uri}, text=text)

    def complete(self, prompt: str, argument: str, value: str, values: list[str]) -> "Server":
        about = {"prompt": f"{self.name}___{prompt}", "argument": argument, "value": value}
        return self.step("complete", "complete", about, values=values)

    def complete_uri(self, template: str, argument: str, value: str, values: list[str]) -> "Server":
        about = {"template": template, "argument": argument, "value": value}
        return self.step("complete", "complete", about, values=values)

    def cancel(self, tool: str, arguments: dict, counter: str, counted: str) -> "Server":
        about = {"tool": f"{self.name}___{tool}", "counter": f"{self.name}___{counter}", "counted": counted}
        return self.step("cancel", "cancel", about | {"arguments": arguments}, text=counted)

    def hear(self, of: str, tool: str, arguments: dict) -> "Server":
        about = {"of": of, "tool": f"{self.name}___{tool}", "arguments": arguments}
        return self.step("list changed" if of == "tools" else "updated", "hear", about, heard=of)


def steps(gateway: Gateway, client: str) -> list[Step]:
    """All of them, for one client whose name nobody else has."""
    return [step for server in servers(gateway, client) for step in server.steps]


def servers(gateway: Gateway, client: str) -> Iterable[Server]:
    yield lists()
    yield from samples()
    for name in ["everything", "everything-stdio"]:
        yield everything(name)
    for name in ["fastmcp", "fastmcp-legacy"]:
        yield fastmcp(name, client)
    for name in ["fixture-modern", "fixture-legacy", "fixture-stdio"]:
        yield fixture(name, waited(gateway, name) + 1)


def lists() -> Server:
    """The merged lists: something of each server, under its names."""
    return Server(ALL).step(
        "list",
        "list",
        {},
        tools=has(
            "calculator___add_numbers",
            "hello___greet_user",
            "cloudwatch-insights___query_cloudwatch_insights",
            "everything___get-sum",
            "everything-stdio___get-sum",
            "fastmcp___join_words",
            "fastmcp-legacy___join_words",
            "fixture-modern___test_simple_text",
            "fixture-legacy___test_simple_text",
            "fixture-stdio___test_simple_text",
        ),
        prompts=has("everything___args-prompt", "everything-stdio___args-prompt", "fastmcp___review")
        & has("fixture-modern___test_simple_prompt", "fixture-legacy___test_simple_prompt"),
        resources=has("test://static-text", "fastmcp://status", WATCHED),
        templates=has("test://template/{id}/data", "fastmcp://items/{number}")
        & has("demo://resource/dynamic/text/{resourceId}"),
    )


def samples() -> Iterable[Server]:
    yield Server("calculator").call("add_numbers", {"a": 2, "b": 3}, text=lambda text: float(text) == 5)
    yield Server("hello").call("greet_user", {"name": "Alice"}, text="Hello, Alice! Nice to meet you.")
    query = {"query": "fields @message", "log_groups": ["/interop/app"]}
    yield Server("cloudwatch-insights").call(
        "query_cloudwatch_insights", query, isError=True, text=lambda text: "AWS_ACCESS_KEY_ID" in text
    )


def everything(name: str) -> Server:
    """The official demonstration server. It does not stop for a cancellation, so that nobody could see one."""
    server = Server(name)
    server.call("get-sum", {"a": 2, "b": 3}, text="The sum of 2 and 3 is 5.")
    running = {"duration": 0.03, "steps": 3}
    server.call("trigger-long-running-operation", running, "progress", progress=[[1, 3], [2, 3], [3, 3]])
    server.call(
        "trigger-elicitation-request",
        {},
        "elicit",
        asked=["Please provide inputs for the following fields:"],
        text=lambda text: "- Name: name" in text,
    )
    sampling = {"prompt": "Name a capital.", "maxTokens": 10}
    server.call("trigger-sampling-request", sampling, "sample", asked=len, text=lambda text: REPLY in text)
    server.call("get-roots-list", {}, "roots", text=lambda text: "file:///root" in text)
    page = {"url": "https://example.org/page", "message": "Look at this.", "elicitationId": "1"}
    visited = lambda text: "completed" in text  # noqa: E731
    server.call("trigger-url-elicitation", page, "visit", asked=["Look at this."], text=visited)
    server.prompt("args-prompt", {"city": "Kyoto"}, "What's weather in Kyoto?")
    server.complete("completable-prompt", "department", "S", ["Sales", "Support"])
    if name == "everything":
        uri = "demo://resource/dynamic/text/1"
        server.hear(uri, "toggle-subscriber-updates", {})
        server.read(uri, lambda text: text.startswith("Resource 1"))
    return server


def fastmcp(name: str, client: str) -> Server:
    server = Server(name)
    server.call("join_words", {"words": ["a", "é"]}, text="a é", structured={"result": "a é"})
    server.call("count_to", {"last": 3}, "progress", progress=[[1, 3], [2, 3], [3, 3]])
    # FastMCP's form for a legacy client has a field of another name.
    greeted = ["Hello, name!", "Hello, value!"]
    server.call("greet_asked", {}, "elicit", asked=[ASKED], text=lambda text: text in greeted)
    server.prompt("review", {"code": "x"}, "Please review `x`.")
    server.cancel("wait_until_cancelled", {"key": f"{client} {name}"}, "state_of", "stopped")
    if name == "fastmcp":
        server.read("fastmcp://status", "All is well.").read("fastmcp://items/7", "This is item 7.")
    return server


def fixture(name: str, cancelled: int) -> Server:
    """The complete server: in each era, and as a child. The first of the three serves the URIs that all of them have."""
    server = Server(name)
    server.call("test_simple_text", {}, text="This is a simple text response for testing.")
    server.call("test_tool_with_progress", {}, "progress", progress=[[0, 100], [50, 100], [100, 100]])
    server.call(
        "test_elicitation",
        {"message": ASKED},
        "elicit",
        asked=[ASKED],
        text=lambda text: "accept" in text and "someone@example.org" in text,
    )
    server.call("ask_twice", {}, "elicit", asked=len, text="name likes color.")
    server.call("ask_two_at_once", {}, "elicit", asked=len, text="name likes color.")
    server.call("notes_around_asking", {}, "progress", asked=len, text="You like color.", progress=[[1, 2], [2, 2]])
    server.call("visit_page", {}, "visit", asked=["Please confirm who you are"], text="The visit: action=accept")
    server.call("test_input_required_result_list_roots", {}, "roots", text=lambda text: "file:///root" in text)
    prompt = "A capital?"
    server.call("test_sampling", {"prompt": prompt}, "sample", asked=[prompt], text=f"LLM response: {REPLY}")
    arguments = {"arg1": "a", "arg2": "b"}
    server.prompt("test_prompt_with_arguments", arguments, "Prompt with arguments: arg1='a', arg2='b'")
    asked = {"name": f"{name}___test_input_required_result_prompt", "arguments": {}}
    server.step("elicit", "prompt", asked, asked=len, text="Use this context: context")
    server.complete("test_prompt_with_arguments", "arg1", "par", ["paris", "park", "party"])
    counted = f'{{"started":{cancelled},"cancelled":{cancelled}}}'
    server.cancel("wait_until_cancelled", {}, "cancelled_calls", counted)
    server.hear("tools", "test_trigger_tool_change", {})
    if name == "fixture-modern":
        server.read("test://static-text", "This is the content of the static text resource.")
        server.step("elicit", "read", {"uri": "test://asks"}, asked=["Who reads?"], text="Read by name.")
        server.complete_uri("test://template/{id}/data", "id", "12", ["123", "124"])
        server.hear(WATCHED, "touch_resource", {"uri": WATCHED})
    return server


def waited(gateway: Gateway, fixture: str) -> int:
    """How many calls of this fixture's `wait_until_cancelled` there were."""
    answer = post(gateway.endpoint, gateway.token, "tools/call", name=f"{fixture}___cancelled_calls", arguments={})
    return answer.json()["result"]["structuredContent"]["started"]


class has:  # noqa: N801
    """Judges that a list has all these entries."""

    def __init__(self, *entries: str) -> None:
        self.entries = set(entries)

    def __and__(self, other: "has") -> "has":
        return has(*self.entries, *other.entries)

    def __call__(self, seen: list) -> bool:
        return self.entries <= set(seen)
