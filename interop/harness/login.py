"""Programs that log their user in, and what the user does meanwhile in a browser: consent at the gateway, a name and a password at the
issuer. Judges nothing."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
from playwright.sync_api import Page

from harness.clients import LEGACY, MODERN, Client
from harness.gateway import HERE, PEERS
from harness.process import Process, node

#: The SDKs that have an OAuth client, in each of their eras.
LOGINS = [
    Client("python", "legacy", LEGACY),
    Client("python", "auto", MODERN),
    Client("typescript", "v1", LEGACY),
    Client("typescript", "legacy", LEGACY),
    Client("typescript", "auto", MODERN),
]


class Program:
    """One of them, running."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.process.lines if line.startswith("{")]

    def said(self, member: str, what: str) -> dict:
        """The first line with this member, as soon as there is one."""
        return self.process.wait_for(lambda: next((line for line in self.lines() if member in line), None), what)

    @property
    def url(self) -> str:
        """Where it sends its user."""
        return self.said("open", "it sent its user to log in")["open"]

    def ended(self) -> list[dict]:
        """All that it said, once it has ended well."""
        status = self.process.wait()
        self.process.wait_for(lambda: True if not self.process.reading() else None, "it was read to its end")
        assert status == 0, f"it ended with {status}:\n{self.process.log()}"
        return self.lines()


@contextmanager
def program(client: Client, endpoint: str, *calls: tuple[str, dict], env: dict[str, str] | None = None) -> Iterator[Program]:
    """Starts it."""
    named = [f"{name}={json.dumps(arguments)}" for name, arguments in calls]
    python = client.sdk == "python"
    start = [sys.executable, PEERS / "login_client.py"] if python else [node(), PEERS / "login_client.mjs"]
    argv = [str(word) for word in start] + [endpoint, client.mode, *named]
    with Process(argv, env, cwd=str(HERE)) as process:
        yield Program(process)


@dataclass
class Issuer:
    """The issuer of peers/login_issuer.mjs."""

    url: str
    discovery_url: str

    def register(self, callback: str) -> None:
        """Lets the client `people` send its users there."""
        httpx2.post(f"{self.url}/callbacks", json=[callback], trust_env=False).raise_for_status()

    def grants(self) -> dict[str, int]:
        """How often each grant was given."""
        return httpx2.get(f"{self.url}/seen", trust_env=False).raise_for_status().json()

    @staticmethod
    def log_in(page: Page) -> None:
        """What a user does on its pages: anyone may log in."""
        page.locator("[name=login]").fill("carol")
        page.locator("[name=password]").fill("anything")
        page.get_by_role("button", name="Sign-in").click()
        page.get_by_role("button", name="Continue").click()


@contextmanager
def issuer(kind: str) -> Iterator[Issuer]:
    """Starts one: `full` or `strict`."""
    with Process([node(), str(PEERS / "login_issuer.mjs"), kind], cwd=str(HERE)) as process:
        ready = json.loads(process.first_line("it served"))
        yield Issuer(ready["issuer"], ready["discovery_url"])


def agree(page: Page, url: str, log_in: Callable[[Page], None]) -> None:
    """What a user does who was sent to `url`, until the program has them back."""
    page.goto(url)
    page.get_by_role("button", name="Go on and log in").click()
    log_in(page)
    page.get_by_text("You are back at the program.").wait_for()


def as_developer(page: Page) -> None:
    """The login of `causeway dev`, with its defaults."""
    page.get_by_label("User name").fill("developer")
    page.get_by_label("Password").fill("Development-1")
    page.get_by_role("button", name="Log in").click()
