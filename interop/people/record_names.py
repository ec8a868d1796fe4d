"""Records docs/names.md from names.md and real runs: what is typed and what is answered, as a terminal of 200 columns without colours
shows it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.gateway import causeway, sample, serve
from harness.process import CLEAN
from people.record_cli import ran, write

TEXT = Path(__file__).with_name("names.md")


def main() -> None:
    with surroundings() as (env, cwd):
        text = ran(TEXT, env, cwd)
    write(text, TEXT.name)


@contextmanager
def surroundings() -> Iterator[tuple[dict[str, str], str]]:
    """Two sample servers, the files that the text shows, and a gateway with all of it."""
    with ExitStack() as started:
        home = Path(started.enter_context(TemporaryDirectory()))
        targets = TARGETS.format(
            calculator=started.enter_context(sample("calculator")),
            insights=started.enter_context(sample("cloudwatch-insights")),
        )
        (home / "renamed.toml").write_text(targets.replace(RENAMES, EXCLUDES + RENAMES))
        (home / "clients.toml").write_text(targets + CLIENTS)
        gateway = started.enter_context(serve(targets + CLIENTS + SHORT))
        path = f"{Path(causeway()).parent}:{CLEAN['PATH']}"
        yield CLEAN | {"HOME": str(home), "PATH": path, "COLUMNS": "200", "GATEWAY": gateway.endpoint}, str(home)


TARGETS = """\
authorizer = "none"
gateway.listen = "127.0.0.1:0"

[[targets]]
name = "calculator"
http.endpoint = "{calculator}"
tools.rename = {{ add_numbers = "add" }}
tools.describe = {{ add_numbers = "Adds two numbers and gives their sum." }}

[[targets]]
name = "cloudwatch-insights"
http.endpoint = "{insights}"
"""

RENAMES = 'tools.rename = { add_numbers = "add" }\n'
EXCLUDES = 'tools.exclude = ["subtract_*"]\n'

CLIENTS = """
[clients]
used = ["vscode", "claude-code", "amazon-q", "cursor"]
server_name = "tools-of-example-corp"
"""

SHORT = """\
shorten_names = true

[[toolsets]]
name = "arithmetic"
description = "Sums and products"
tools.include = ["calculator___*"]
"""


if __name__ == "__main__":
    main()
