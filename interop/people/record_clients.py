"""Records what clients are given into docs/clients.md: what is typed and what is answered. Every line of output is that of a real run;
nothing is edited but the path of the program and addresses that change with each run."""

import tempfile
from pathlib import Path

from harness.gateway import causeway, dev
from harness.process import CLEAN
from people.record_cli import ran, write

TEXT = Path(__file__).with_name("clients.md")


def main() -> None:
    with tempfile.TemporaryDirectory() as home, dev() as gateway:
        path = f"{Path(causeway()).parent}:{CLEAN['PATH']}"
        env = CLEAN | {"HOME": home, "PATH": path, "GATEWAY": gateway.endpoint, "TOKEN": gateway.token}
        text = ran(TEXT, env, home)
    write(text.replace(causeway(), "/usr/local/bin/causeway").replace(home, "/home/me"), TEXT.name)


if __name__ == "__main__":
    main()
