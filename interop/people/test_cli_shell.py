"""What a shell and a reader get of the program: completions, manual pages, help; and `--debug`, which shows no secret."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from aws.doubles.runtime import ARN, runtime
from aws.doubles.signature import Identity
from harness.cognito import Pool
from harness.command import run
from harness.gateway import causeway, sample
from harness.ministack import ministack
from harness.moto import moto
from harness.process import CLEAN

COMMANDS = ["serve", "check", "targets", "tools", "call", "doctor", "import", "schema", "token", "completions", "man"]
SHELLS = ["bash", "zsh", "fish", "elvish", "powershell"]


def bash(script: str, home: Path) -> str:
    directory = str(Path(causeway()).parent)
    env = CLEAN | {"PATH": f"{directory}:{CLEAN['PATH']}", "HOME": str(home)}
    ran = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("typed", [("to", {"token", "tools"}), ("doc", {"doctor"})], ids=str)
def test_bash_completes_commands(typed: tuple[str, set[str]], tmp_path: Path) -> None:
    word, expected = typed
    script = f"""
        source <(causeway completions bash)
        complete -p causeway > /dev/null
        COMP_WORDS=(causeway {word}); COMP_CWORD=1
        _causeway causeway {word} causeway
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert set(bash(script, tmp_path).split()) == expected


def test_bash_completes_options(tmp_path: Path) -> None:
    script = """
        source <(causeway completions bash)
        COMP_WORDS=(causeway tools --tok); COMP_CWORD=2
        _causeway causeway --tok tools
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert {"--token-env", "--token-file", "--token-endpoint"} <= set(bash(script, tmp_path).split())


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_served(shell: str, tmp_path: Path) -> None:
    script = run("completions", shell).ok().out
    assert all(command in script for command in COMMANDS)
    path = tmp_path / "script"
    path.write_text(script)
    check = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}.get(shell)
    if check and shutil.which(check[0]):
        subprocess.run([*check, str(path)], check=True, timeout=60)


def test_the_manual_is_one(tmp_path: Path) -> None:
    run("man", "--directory", str(tmp_path)).ok()
    pages = {path.name for path in tmp_path.iterdir()}
    assert {"causeway.1", "causeway-call.1", "causeway-token-password.1"} <= pages
    (tmp_path / "first.1").write_text(run("man").ok().out)
    for page in tmp_path.iterdir():
        shown = read(page)
        assert "NAME" in shown and "SYNOPSIS" in shown, page
    text = read(tmp_path / "causeway-call.1")
    assert "--args-json" in text and "EXAMPLES" in text


def read(page: Path) -> str:
    """A page as a reader sees it, without anything to complain of."""
    env = CLEAN | {"MANWIDTH": "100", "MAN_KEEP_FORMATTING": "0", "HOME": str(page.parent)}
    argv = ["man", "--warnings", "-l", str(page)]
    ran = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=True)
    return re.sub(r".\x08", "", ran.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_its_purpose(command: str) -> None:
    text = run(command, "--help").ok().out
    assert text.startswith(text[0].upper()) and "Usage: causeway" in text
    if command in ["tools", "call", "doctor", "import", "completions", "man"]:
        assert "EXAMPLES" in text


def test_debug_shows_the_exchanges_and_no_secret() -> None:
    with ministack() as aws, sample("calculator") as bare:
        pool = Pool.create(aws, "tools", ["invoke"])
        client = pool.client("caller", "tools/invoke")
        demanded = ["--jwt-discovery-url", pool.discovery_url, "--jwt-allowed-clients", client.id]
        with sample("calculator", *demanded) as url:
            fetched = ["--token-endpoint", pool.token_endpoint, "--client-id", client.id, "--client-secret-env", "S"]
            called = run("call", url, "add_numbers", "-a", "a=40", "-a", "b=2", *fetched, "--debug", env={"S": client.secret})
            assert called.ok().out == "42\n"
            log = called.err
            for seen in [f"POST {pool.token_endpoint}", f"POST {url}", "200 OK", '"method": "tools/call"', '"a": 40',
                         "authorization: Bearer <redacted>", "authorization: Basic <redacted>", "grant_type=client_credentials",
                         '"access_token": "<redacted>"']:
                assert seen in log, seen
            assert client.secret not in log and "eyJ" not in log.replace("eyJ…", "")
        assert run("tools", bare).ok().err == ""
        assert run("tools", bare, env={"RUST_LOG": "trace,causeway::wire=trace"}).out


def test_debug_shows_no_secret_of_aws() -> None:
    identity = Identity(token="A-SESSION-TOKEN-THAT-IS-SECRET")
    with sample("calculator") as url, runtime(url, identity) as double, moto() as account:
        env = double.environment() | identity.environment()
        log = run("tools", ARN, "--debug", env=env).ok().err
        assert "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" in log and "Signature=<redacted>" in log
        assert identity.token not in log and identity.secret_key not in log
        account.client("secretsmanager").create_secret(Name="s", SecretString='{"client_id":"c","client_secret":"hunter2"}')
        log = run("token", "secret", "s", "--debug", env=account.environment()).err
        assert "GetSecretValue" in log and '"SecretString": "<redacted>"' in log and "hunter2" not in log
