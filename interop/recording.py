"""Records a session with `causeway dev` into docs/recorded-session.md: what is typed and what is answered, tokens and secrets
shortened. Every line of output is that of a real run; nothing is edited but those."""

import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.gateway import ROOT, causeway
from harness.process import CLEAN, Process, node, running

PATH = ":".join([*(str(Path(program).parent) for program in (causeway(), sys.executable, node())), CLEAN["PATH"]])
VERSIONS = {
    "Causeway": "causeway --version",
    "Python SDK": 'python -c \'from importlib.metadata import version as v; print("mcp", v("mcp"))\'',
    "TypeScript SDK": 'node -p \'["client", "sdk"].map((name) => `@modelcontextprotocol/${name} ` + JSON.parse('
    'fs.readFileSync(`interop/node_modules/@modelcontextprotocol/${name}/package.json`)).version).join(", ")\'',
    "Runtimes": "python --version; node --version",
}
CALLS = [
    """'calculator___add_numbers={"a": 2, "b": 3}'""",
    """'calculator___multiply_numbers={"a": 6, "b": 7}'""",
    """'hello___greet_user={"name": "Alice"}'""",
    """'cloudwatch-insights___query_cloudwatch_insights={"query": "stats count(*) as n by status", "log_groups": ["/shop/web"]}'""",
]
DEV = "causeway dev --listen 127.0.0.1:0"


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        env = CLEAN | {"PATH": PATH, "HOME": home}
        with Process(["bash", "-c", f"exec env {DEV}"], env, cwd=str(ROOT)) as dev:
            dev.wait_for(lambda: "Ctrl-C stops all of it." in dev.lines or None, "it served")
            text = session(dev, env)
    path = ROOT / "docs" / "recorded-session.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    print(f"wrote {path.relative_to(ROOT)}")


def session(dev: Process, env: dict[str, str]) -> str:
    """The document."""
    printed = "\n".join(dev.lines).strip("\n")
    curls = re.findall(r"^ *(curl (?:.*\\\n)*.*)$", printed, re.MULTILINE)
    endpoint = re.search(r"Causeway serves MCP at (\S+)", printed).group(1)
    calculator = re.search(r"^ +calculator +(\S+)", printed, re.MULTILINE).group(1)
    token = re.search(r"Bearer (eyJ[\w.-]+)", printed).group(1)
    calls = " \\\n  ".join(CALLS)

    def ran(*commands: str) -> str:
        return block(*(shown(command, env | {"TOKEN": token}) for command in commands))

    def client(program: str, mode: str) -> str:
        return ran(f"{program} {endpoint} {mode} \\\n  {calls}")

    versions = [f"- {name}: {version(command, env)}" for name, command in VERSIONS.items()]
    parts = [
        INTRODUCTION.format(versions="\n".join(versions)),
        "## One terminal: everything starts\n",
        block(f"$ {DEV}\n{printed}"),
        "## Another: the printed commands, as printed\n",
        ran(*curls),
        "## Nobody passes without a token\n",
        "The gateway refuses a caller without a token. A server refuses even one with the printed token: it lets in only\n"
        "the gateway, which gets a token of that server's issuer for itself. `TOKEN` is the printed one, here and from\n"
        "here on: `export TOKEN=eyJ…`.\n",
        ran(
            f"curl -s -i {endpoint} -H 'Content-Type: application/json' -d '{LIST}'",
            f"""curl -s -o /dev/null -w '%{{http_code}}\\n' {calculator} -H "Authorization: Bearer $TOKEN" """
            f"-H 'Content-Type: application/json' \\\n  -H 'Accept: application/json, text/event-stream' -d '{LIST}'",
        ),
        "## The Python SDK's client, in both eras of MCP\n",
        client("python interop/peers/python_client.py", "legacy"),
        client("python interop/peers/python_client.py", "auto"),
        "## The TypeScript SDK's clients: version 1, and version 2 in the newest era\n",
        client("node interop/peers/typescript_client.mjs", "v1"),
        client("node interop/peers/typescript_client.mjs", "auto"),
        "## Ctrl-C in the first terminal\n",
        ended(dev),
    ]
    return private("\n".join(parts))


INTRODUCTION = """\
# A recorded session

`causeway dev` with the repository's config.toml: three servers, an identity provider and the gateway; the printed commands;
then the clients of two SDKs that list and call the tools of all three servers. Callers come with a JWT, and the gateway goes
to each server with a token of its own that it got for client_credentials. There is no AWS in this session: the
tools of `cloudwatch-insights` answer from its sample logs.

Written by `interop/record` from a real run, which writes it anew. Access tokens are shortened to `eyJ…`, the client's secret
to `…`.

{versions}
"""
CAPTURE = {"capture_output": True, "text": True, "timeout": 120, "check": True}
LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'


def shown(command: str, env: dict[str, str]) -> str:
    """A command and what it answers."""
    output = run(command, env).rstrip("\n")
    return f"$ {command}\n{output}"


def version(command: str, env: dict[str, str]) -> str:
    return run(command, env).strip().replace("\n", ", ")


def run(command: str, env: dict[str, str]) -> str:
    ran = subprocess.run(
        ["bash", "-c", command], env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    return (ran.stdout + ran.stderr).replace("\r", "")


def block(*texts: str) -> str:
    return "\n".join(["```console", "\n\n".join(texts), "```\n"])


def ended(dev: Process) -> str:
    """Ends it as Ctrl-C does, and looks for what it leaves behind."""
    family = dev.descendants()
    dev.signal(signal.SIGINT)
    status = dev.wait()
    left = [process for process in family if running(process)]
    assert (status, left) == (0, []), dev.log()
    return f"It ended with status {status}; none of the {len(family)} processes that it had started was left.\n"


def private(text: str) -> str:
    """Without what is of use to nobody: tokens and the secret; a path of this machine is a mistake."""
    text = re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "eyJ…", text)
    text = re.sub(r"(-u '[\w-]+:)[\w-]+'", r"\1…'", text)
    for path in (str(ROOT), str(Path.home())):
        assert path not in text, f"the session shows `{path}`"
    return text


if __name__ == "__main__":
    main()
