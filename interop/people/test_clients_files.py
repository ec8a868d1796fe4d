"""`causeway client`: the files that it writes, read by the clients that they are for. Claude Code and GitHub Copilot's command line
connect by them, and Copilot calls a tool; VS Code's own parser reads what is beside the entry; what other clients read is looked at
as their makers document it."""

import json
import os
import pty
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.gateway import Gateway, dev
from harness.model import Model, serving
from harness.process import CLEAN
from harness.programs import causeway, claude, copilot, read_by_vs_code

FILES = {
    "vscode": (".config/Code/User/mcp.json", ".vscode/mcp.json"),
    "amazon-q": (".aws/amazonq/mcp.json", ".amazonq/mcp.json"),
    "kiro": (".kiro/settings/mcp.json", ".kiro/settings/mcp.json"),
    "claude-code": (".claude.json", ".mcp.json"),
    "cursor": (".cursor/mcp.json", ".cursor/mcp.json"),
    "copilot-cli": (".copilot/mcp-config.json", ".mcp.json"),
}
SERVERS = {"vscode": "servers"}
#: Clients with a command that writes their file: the program, its name, the file.
OWN = {"claude-code": (claude, "claude", ".claude.json"), "copilot-cli": (copilot, "copilot", ".copilot/mcp-config.json")}

#: What somebody has in such a file, with everything that VS Code lets stand there.
MINE = """// My servers, do not touch.
{
\t"inputs": [
\t\t{ "type": "promptString", "id": "mine", "description": "Mine", "password": true }, // asked once
\t],
\t/* The one
\t   that I use */
\t"SERVERS": {
\t\t"mine": { "command": "npx", "args": ["-y", "some-server"], "env": { "KEY": "${input:mine}" }, },
\t\t// "off": { "url": "https://off.example.com/mcp" },
\t},
\t"more": [1, 2.50, null], // stays
}
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with dev() as gateway:
        yield gateway


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path / "project", check=True)
    return tmp_path


def place(home: Path, client: str, scope: str) -> Path:
    user, project = FILES[client]
    return home / user if scope == "user" else home / "project" / project


def tell(home: Path, client: str, gateway: Gateway, *args: str) -> str:
    """Runs the command in the project, and gives what it said."""
    argv = ["client", client, "--url", gateway.endpoint, *args]
    return causeway(home).run(*argv, cwd=home / "project")


@pytest.mark.parametrize("scope", ["user", "project"])
@pytest.mark.parametrize("client", FILES)
def test_what_stood_there_stays_and_can_be_had_back(home: Path, gateway: Gateway, client: str, scope: str) -> None:
    servers = SERVERS.get(client, "mcpServers")
    path = place(home, client, scope)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = MINE.replace("SERVERS", servers).encode()
    path.write_bytes(before)
    path.chmod(0o640)
    was = read_by_vs_code(path)
    assert not was["errors"] and len(was["comments"]) == 5
    shown = tell(home, client, gateway, "--scope", scope)
    assert path.read_bytes() == before, "nothing is written unless it is asked for"
    assert '+\t\t"causeway": {' in shown and "nothing was written" in shown
    said = tell(home, client, gateway, "--scope", scope, "--write", "--yes")
    now = read_by_vs_code(path)
    assert not now["errors"]
    assert now["comments"] == was["comments"]
    entry = now["value"][servers].pop("causeway")
    assert now["value"] == was["value"]
    assert entry["url"] == gateway.endpoint
    lines = path.read_text().splitlines()
    assert [line for line in lines if line in MINE.replace("SERVERS", servers).splitlines()] == before.decode().splitlines()
    assert path.stat().st_mode & 0o777 == 0o640
    assert "nothing to change" in tell(home, client, gateway, "--scope", scope, "--write", "--yes")
    back = re.search(r"take it back: (.*)", said)
    subprocess.run(shlex.split(back[1]), cwd=home / "project", check=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("client", FILES)
def test_taken_out_the_file_is_what_it_was(home: Path, gateway: Gateway, client: str) -> None:
    path = place(home, client, "user")
    path.parent.mkdir(parents=True, exist_ok=True)
    before = MINE.replace("SERVERS", SERVERS.get(client, "mcpServers"))
    path.write_text(before)
    auth = ("--auth", "token-prompt") if client == "vscode" else ("--auth", "token-env")
    tell(home, client, gateway, *auth, "--write", "--yes")
    assert read_by_vs_code(path)["value"] != read_by_text(before, home)
    tell(home, client, gateway, "--remove", "--write", "--yes")
    assert path.read_text() == before


def read_by_text(text: str, home: Path) -> dict:
    path = home / "text.json"
    path.write_text(text)
    return read_by_vs_code(path)["value"]


@pytest.mark.parametrize("client", FILES)
def test_a_broken_file_is_left_alone(home: Path, gateway: Gateway, client: str) -> None:
    path = place(home, client, "user")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{\n  "a": 1\n  "b": 2\n}')
    with pytest.raises(AssertionError, match="line 2, column 9: Expected comma"):
        tell(home, client, gateway, "--write", "--yes")
    assert path.read_text() == '{\n  "a": 1\n  "b": 2\n}'


@pytest.mark.parametrize("over", ["http", "stdio"])
@pytest.mark.parametrize("scope", ["user", "project"])
def test_claude_code_connects(home: Path, gateway: Gateway, scope: str, over: str) -> None:
    program = claude(home)
    # A project's servers wait for a person's consent, which this setting gives.
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text('{"enableAllProjectMcpServers": true}')
    more = ["--stdio"] if over == "stdio" else []
    said = tell(home, "claude-code", gateway, "--scope", scope, "--auth", "token-env", *more, "--write", "--yes")
    assert gateway.token not in said + place(home, "claude-code", scope).read_text()
    env = {"CAUSEWAY_TOKEN": gateway.token, "PATH": f"{Path(causeway(home).path).parent}:/usr/bin:/bin"}
    listed = program.run("mcp", "list", env=env, cwd=home / "project")
    assert re.search(r"causeway: .* ✔ Connected", listed), listed
    without = program.run("mcp", "list", env={"PATH": env["PATH"]}, cwd=home / "project")
    assert not re.search(r"causeway: .* ✔ Connected", without), without


@pytest.mark.parametrize("auth", [["login"], ["token-env"], ["token-env", "--stdio"]], ids=" ".join)
@pytest.mark.parametrize("client", OWN)
def test_the_clients_own_command_writes_the_same(home: Path, gateway: Gateway, client: str, auth: list[str]) -> None:
    program, word, file = OWN[client]
    said = tell(home, client, gateway, "--auth", *auth)
    (home / "other").mkdir()
    command = shlex.split(re.search(f"or run: {word} (.*)", said)[1])
    program(home / "other").run(*command)
    tell(home, client, gateway, "--auth", *auth, "--write", "--yes")
    theirs, ours = (json.loads((there / file).read_text())["mcpServers"] for there in (home / "other", home))
    assert theirs == ours


@pytest.mark.parametrize("over", ["http", "stdio"])
def test_copilot_calls_a_tool(home: Path, gateway: Gateway, over: str) -> None:
    more = ["--stdio"] if over == "stdio" else []
    tell(home, "copilot-cli", gateway, "--auth", "token-env", *more, "--write", "--yes")
    model = Model("add_numbers", {"a": 2, "b": 40})
    with serving(model) as url:
        env = {"COPILOT_PROVIDER_BASE_URL": url, "COPILOT_PROVIDER_API_KEY": "none", "COPILOT_MODEL": "gpt-4o"}
        env |= {"CAUSEWAY_TOKEN": gateway.token, "PATH": "/usr/bin:/bin"}
        said = copilot(home).run("-p", "Add 2 and 40.", "--allow-all-tools", env=env, cwd=home / "project")
    assert "done" in said
    assert any("42" in result for result in model.results()), (said, model.asked)


def test_no_token_gets_into_a_file(home: Path, gateway: Gateway) -> None:
    for args in [("--auth", "token-env", "--token-env", gateway.token), ("--auth", "sigv4", "--", "--profile", gateway.token)]:
        with pytest.raises(AssertionError) as refused:
            tell(home, "cursor", gateway, "--write", "--yes", *args)
        assert "looks like a secret" in str(refused.value)
        assert not place(home, "cursor", "user").exists()


@pytest.mark.parametrize(("typed", "written"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_it_asks(home: Path, gateway: Gateway, typed: str, written: bool) -> None:
    program = causeway(home)
    person, terminal = pty.openpty()
    argv = [program.path, "client", "kiro", "--url", gateway.endpoint, "--write"]
    env = CLEAN | {"HOME": str(home)}
    with subprocess.Popen(argv, env=env, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
        os.write(person, typed.encode())
        shown, said = asking.communicate(timeout=60)
    for end in (person, terminal):
        os.close(end)
    assert gateway.endpoint in shown and "? [y/N]" in said
    assert place(home, "kiro", "user").exists() == written == (asking.returncode == 0)


def test_without_a_terminal_it_does_not_write_unasked(home: Path, gateway: Gateway) -> None:
    with pytest.raises(AssertionError, match="no terminal to ask on"):
        tell(home, "kiro", gateway, "--write")
    assert not place(home, "kiro", "user").exists()
