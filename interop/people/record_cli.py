"""Records the commands for chores into docs/cli.md: what is typed and what is answered, as a terminal of 100 columns without colours
shows it. Every line of output is that of a real run; nothing is edited but addresses that change with each run."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from aws.doubles.runtime import ARN, runtime
from aws.doubles.signature import Identity
from harness.account import may
from harness.gateway import ROOT, causeway, dev, sample
from harness.ministack import ministack
from harness.process import CLEAN, Process

TEXT = Path(__file__).with_name("cli.md")
#: `{run: COMMAND}` on a line of its own, in the text.
RUN = re.compile(r"^\{run: (.*?)\}$", re.MULTILINE | re.DOTALL)


def main() -> None:
    with surroundings() as (env, cwd):
        text = ran(TEXT, env, cwd)
    write(text, TEXT.name)


def ran(template: Path, env: dict[str, str], cwd: str) -> str:
    """The text of this file, each command in it run and followed by what it said."""
    return RUN.sub(lambda found: block(found[1], env, cwd), template.read_text())


def write(text: str, name: str) -> None:
    """Makes the page `name` of docs/ of it."""
    path = ROOT / "docs" / name
    path.write_text(tidy(text))
    print(f"wrote {path.relative_to(ROOT)}")


@contextmanager
def surroundings() -> Iterator[tuple[dict[str, str], str]]:
    """What runs beside the commands: `causeway dev`, two sample servers, the fixture, and a Runtime."""
    with ExitStack() as started:
        home = started.enter_context(tempfile.TemporaryDirectory())
        env = {"XDG_RUNTIME_DIR": home, "HOME": home}
        gateway = started.enter_context(dev(env=env))
        calculator = started.enter_context(sample("calculator"))
        sts = started.enter_context(ministack())
        user = sts.user(may("sts:*"))
        identity = Identity(user["AWS_ACCESS_KEY_ID"], user["AWS_SECRET_ACCESS_KEY"])
        double = started.enter_context(runtime(calculator, identity))
        fixture = started.enter_context(Process([os.environ["CAUSEWAY_FIXTURE_BIN"]]))
        config = Path(home) / "config.toml"
        config.write_text(CONFIG.format(calculator=calculator))
        # As a file that somebody forgot to close.
        (Path(home) / "orders.key").write_text("hunter2")
        os.chmod(Path(home) / "orders.key", 0o644)
        variables = {
            "CALCULATOR": calculator,
            "GATEWAY": gateway.endpoint,
            "FIXTURE": fixture.first_line("it served").removeprefix("listening on "),
            "RUNTIME": ARN,
        }
        path = f"{Path(causeway()).parent}:{CLEAN['PATH']}"
        signing = double.environment() | double.control() | identity.environment() | {"AWS_ENDPOINT_URL_STS": sts.url}
        yield CLEAN | {"PATH": path, "COLUMNS": "100"} | env | variables | signing, home


CONFIG = """\
authorizer = "none"
aws.region = "eu-wset-1"

[[targets]]
name = "calculator"
http.endpoint = "{calculator}"

[[targets]]
name = "orders"
http.endpoint = "http://127.0.0.1:1/mcp"
credential.api_key = {{ key_file = "orders.key", parameter_name = "X-Api-Key" }}
"""


def block(command: str, env: dict[str, str], cwd: str) -> str:
    """A command and what it answers, with its status where that is not 0."""
    ran = subprocess.run(
        ["bash", "-c", command], env=env, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    output = (ran.stdout + ran.stderr).rstrip("\n")
    status = f"\n(exit status {ran.returncode})" if ran.returncode else ""
    return f"```console\n$ {command}\n{output}{status}\n```"


def tidy(text: str) -> str:
    """Without what is of use to nobody: tokens; a path of this machine is a mistake."""
    text = re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "eyJ…", text)
    text = re.sub(r"/tmp/tmp\w+/", "/home/alice/", text)
    for path in (str(ROOT), str(Path.home())):
        assert f"{path}/" not in text, f"the page shows `{path}`"
    return text


if __name__ == "__main__":
    main()
