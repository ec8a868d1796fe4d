"""Runs every client, or those whose name has one of the arguments in it; a line for each. Ends with 1 if one failed."""

import sys

from matrix.clients import CLIENTS
from matrix.outcome import play
from matrix.script import ALL, servers
from matrix.servers import behind_one_gateway


def main(parts: list[str]) -> int:
    chosen = [client for client in CLIENTS if not parts or any(part in str(client) for part in parts)]
    failed = 0
    with behind_one_gateway() as gateway:
        names = [server.name for server in servers(gateway, "nobody") if server.name != ALL]
        print(f"the servers: {', '.join(names)}", flush=True)
        for client in chosen:
            try:
                line = play(client, gateway).line()
            except Exception as error:
                line = f"not ok - {client}: {error}"
            failed += line.startswith("not ok")
            print(line, flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
