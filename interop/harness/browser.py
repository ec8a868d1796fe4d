"""A real browser for one check: Chromium without a window, a fresh profile each time. Knows no page."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, expect, sync_playwright

# What Chromium needs where no user namespaces, no GPU and little shared memory are there; it talks to loopback alone.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]

# For whatever a page is to do or to show; pages that look again by themselves do so after some seconds.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


@contextmanager
def browser(**settings: object) -> Iterator[BrowserContext]:
    """A browser with no cookies; `settings` are those of Playwright's `new_context`, for example `color_scheme`."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program(), args=FLAGS, env={"PATH": os.environ["PATH"], "HOME": home}
        )
        try:
            context = chromium.new_context(**settings)
            context.set_default_timeout(PATIENCE)
            yield context
        finally:
            chromium.close()


def program() -> str:
    """The Chromium that the environment names, or that of the system."""
    found = os.environ.get("CHROMIUM_BIN") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "there is no Chromium: install it, or name it in CHROMIUM_BIN"
    return found


def picture(page, name: str) -> Path:
    """Keeps a screenshot of the whole page as `people/pictures/name.png`, for whoever wants to look."""
    directory = Path(__file__).resolve().parent.parent / "people" / "pictures"
    directory.mkdir(exist_ok=True)
    path = directory / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
