"""The dashboard in a real browser: every page, light and dark, wide and narrow, with and without scripts, by mouse and by keyboard
alone; before targets that work, one that asks back and one that is gone. Nothing may come from elsewhere, no page may hold a secret."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from harness.browser import browser, picture
from harness.clients import CLIENTS
from harness.gateway import PEERS, Gateway, causeway, dev, post, serve
from harness.issuer import rotating_issuer
from harness.process import free_port, until

SECRETS = {"ORDERS_SECRET": "hunter2-of-orders", "SEAL": "hunter2-that-seals-sessions-and-is-long"}
CONFIG = """
authorizer = "none"

[gateway]
name = "Team tools"
listen = "127.0.0.1:0"

[sessions]
key_env = ["SEAL"]

[admin]
listen = "127.0.0.1:{port}"

[[targets]]
name = "everything"
stdio.command = ["{fixture}", "--stdio"]

[[targets]]
name = "calculator"
stdio = {{ command = ["{program}", "sample", "calculator", "--stdio"], env = {{ LEVEL = "hunter2-of-a-child" }} }}

[[targets]]
name = "wordy"
stdio.command = ["{python}", "{peers}/wordy_target.py"]

[[targets]]
name = "orders"
http.endpoint = "http://127.0.0.1:1/mcp?key=hunter2-of-a-url"

[targets.credential.client_credentials]
token_endpoint = "http://127.0.0.1:1/oauth2/token"
client_id = "orders"
client_secret_env = "ORDERS_SECRET"

[[toolsets]]
name = "numbers"
tools.include = ["calculator___*"]
"""
WORDY = f"/tools/wordy___{'w' * 100}"
PAGES = {
    "overview": "/",
    "catalog": "/catalog?q=numbers",
    "tool": "/tools/calculator___add_numbers",
    "calls": "/calls",
    "clients": "/clients",
    "config": "/config",
}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """`causeway serve` with two targets that work and one that is gone, and a few calls made."""
    fixture = os.environ["CAUSEWAY_FIXTURE_BIN"]
    programs = {"fixture": fixture, "program": causeway(), "python": sys.executable, "peers": PEERS}
    with serve(CONFIG.format(port=free_port(), **programs), SECRETS) as running:
        for number in range(3):
            post(running.endpoint, None, "tools/call", name="calculator___add_numbers", arguments={"a": number, "b": 2})
        post(running.endpoint, None, "tools/call", name="everything___test_error_handling", arguments={})
        post(running.endpoint, None, "tools/call", name="orders___status", arguments={"order": "hunter2-of-a-caller"})
        yield running


@contextmanager
def watched(gateway: Gateway, **settings: object) -> Iterator[Page]:
    """A page that may say nothing on its console, load nothing from elsewhere, break no policy and throw nothing."""
    origin, troubles = urlsplit(gateway.admin).netloc, []
    with browser(base_url=gateway.admin, **settings) as context:
        page = context.new_page()
        # A refused form is answered with a status that browsers report, and that is no trouble of the page.
        expected = "responded with a status of 4"
        page.on("console", lambda said: troubles.append(said.text) if expected not in said.text else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda request: troubles.append(request.url)
            if urlsplit(request.url).netloc not in (origin, "") else None,
        )
        yield page
    assert not troubles


def fits(page: Page) -> None:
    """Nothing stands out to the side."""
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def labelled(page: Page) -> None:
    """Every field and button has a name for who does not see it."""
    nameless = """[...document.querySelectorAll("input:not([type=hidden]), select, textarea, button")]
        .filter((it) => !it.hidden && !it.labels?.length && !it.textContent.trim() && !it.getAttribute("aria-label"))
        .map((it) => it.outerHTML)"""
    assert page.evaluate(nameless) == []
    assert page.locator("main").count() == 1 and page.locator("h1").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_can_be_read(gateway: Gateway, width: int, scheme: str) -> None:
    with watched(gateway, color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        for name, path in PAGES.items():
            page.goto(path)
            fits(page)
            labelled(page)
            picture(page, f"dashboard-{name}-{scheme}-{width}")
            text = page.content()
            assert "hunter2" not in text, f"{name} shows a secret"


@pytest.mark.parametrize("width", [1280, 390])
def test_words_without_end_stay_inside(gateway: Gateway, width: int) -> None:
    with watched(gateway, viewport={"width": width, "height": 900}) as page:
        for path in ["/", "/catalog?target=wordy", WORDY]:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
            fits(page)
        page.get_by_role("button", name="Call it").click()
        expect(page.locator("section.result")).to_contain_text("R" * 5000)
        fits(page)
        picture(page, f"dashboard-wordy-{width}")
        assert "taken over" not in page.title()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_result_comes_into_view(gateway: Gateway, scripts: bool) -> None:
    with watched(gateway, java_script_enabled=scripts, viewport={"width": 390, "height": 420}) as page:
        page.goto("/tools/calculator___add_numbers")
        page.get_by_label("a number").fill("40")
        page.get_by_label("b number").fill("2")
        page.get_by_role("button", name="Call it").click()
        expect(page.locator("section.result h2")).to_be_in_viewport()


def test_the_overview_says_how_each_target_is(gateway: Gateway) -> None:
    with watched(gateway) as page:
        page.goto("/")
        card = page.locator("article", has=page.get_by_role("heading", name="calculator"))
        expect(card).to_contain_text("works")
        expect(card).to_contain_text("MCP 2026-07-28 (modern)")
        gone = page.locator("article", has=page.get_by_role("heading", name="orders"))
        expect(gone).to_contain_text("does not work")
        expect(gone).to_contain_text("What to do:")
        expect(page.locator("#endpoint")).to_have_text(gateway.endpoint)
        expect(page.locator("#toolset-numbers")).to_have_text(f"{gateway.endpoint}/numbers")


def test_the_overview_follows_what_happens(gateway: Gateway) -> None:
    with watched(gateway) as page:
        page.goto("/")
        calls = page.locator("article", has=page.get_by_role("heading", name="calculator")).locator("dd").nth(2)
        before = int(calls.inner_text())
        post(gateway.endpoint, None, "tools/call", name="calculator___add_numbers", arguments={"a": 1, "b": 2})
        expect(calls).to_have_text(str(before + 1))


def test_the_catalog_is_searched_while_typing(gateway: Gateway) -> None:
    with watched(gateway) as page:
        page.goto("/catalog")
        everything = page.locator("details.entry").count()
        page.get_by_role("searchbox").press_sequentially("calculator add")
        expect(page.locator("details.entry")).to_have_count(1)
        assert everything > 40 and page.url.endswith("q=calculator+add&kind=&target=&toolset=")
        page.locator("details.entry summary").first.click()
        expect(page.locator("details.entry table").first).to_contain_text("First summand")
        page.goto("/catalog?toolset=numbers")
        expect(page.locator("details.entry")).to_have_count(2)


def test_a_tool_is_tried(gateway: Gateway) -> None:
    with watched(gateway) as page:
        page.goto("/catalog?q=add_numbers")
        page.locator("details.entry summary").first.click()
        page.get_by_role("link", name="Try this tool").click()
        page.get_by_label("a number").fill("40")
        page.get_by_role("button", name="Call it").click()
        assert page.evaluate("document.activeElement.name") == "a.=b", "the browser wants what is needed"
        page.get_by_label("b number").fill("two")
        page.get_by_role("button", name="Call it").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
        assert page.get_by_label("a number").input_value() == "40"
        page.get_by_label("b number").fill("2")
        page.get_by_role("button", name="Call it").click()
        expect(page.locator("section.result")).to_contain_text("42")
        expect(page.locator(".running")).to_be_hidden()


def test_what_a_tool_gives_is_shown(gateway: Gateway) -> None:
    def tried(page: Page, tool: str) -> None:
        page.goto(f"/tools/everything___{tool}")
        page.get_by_role("button", name="Call it").click()
        page.locator("section.result").wait_for()

    with watched(gateway) as page:
        tried(page, "test_image_content")
        assert page.locator(".block img").evaluate("image => image.complete && image.naturalWidth > 0")
        tried(page, "test_audio_content")
        expect(page.locator(".block audio")).to_have_count(1)
        tried(page, "test_tool_with_progress")
        expect(page.locator(".said progress")).to_have_count(3)
        expect(page.locator(".said progress:visible")).to_have_count(1)
        tried(page, "test_error_handling")
        expect(page.locator("section.result")).to_contain_text("The tool reports an error")
        picture(page, "dashboard-tool-error")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_tool_that_asks_back_is_answered(gateway: Gateway, scripts: bool) -> None:
    with watched(gateway, java_script_enabled=scripts) as page:
        page.goto("/tools/everything___ask_twice")
        page.get_by_role("button", name="Call it").click()
        page.get_by_label("name").fill("Eve")
        picture(page, "dashboard-question")
        page.get_by_role("button", name="Answer").click()
        page.get_by_label("color").fill("blue")
        page.get_by_role("button", name="Answer").click()
        expect(page.locator("section.result")).to_contain_text("Eve likes blue.")
        page.goto("/tools/everything___visit_page")
        page.get_by_role("button", name="Call it").click()
        expect(page.get_by_role("link", name="https://example.org/confirm")).to_be_visible()
        page.get_by_role("button", name="Decline").click()
        expect(page.locator("section.result")).to_contain_text("The visit: action=decline")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_call_is_cancelled(gateway: Gateway, scripts: bool) -> None:
    with watched(gateway, java_script_enabled=scripts) as page:
        page.goto("/tools/everything___wait_until_cancelled")
        # The page of a call that runs is not complete before the call is.
        page.get_by_role("button", name="Call it").click(no_wait_after=True)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
        expect(page.get_by_role("button", name="Call it")).to_be_visible()

        def cancelled() -> bool:
            page.goto("/calls?show=failed")
            return page.locator("tr", has_text="wait_until_cancelled").filter(has_text="cancelled").count() > 0

        until(cancelled, "the call is in the list as cancelled")


def test_a_call_of_a_client_appears_at_once(gateway: Gateway) -> None:
    with watched(gateway) as page:
        page.goto("/calls?target=calculator&show=uses")
        expect(page.locator("#live")).to_have_attribute("data-state", "on")
        before = page.locator("#calls tr").count()
        CLIENTS[0].run(gateway.endpoint, None, ("calculator___multiply_numbers", {"a": 6, "b": 7}))
        expect(page.locator("#calls tr")).to_have_count(before + 1)
        expect(page.locator("#calls tr").first).to_contain_text("calculator___multiply_numbers")


def test_what_is_copied_is_what_is_shown(gateway: Gateway) -> None:
    with watched(gateway, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/")
        page.locator("[data-copy=endpoint]").click()
        expect(page.locator("[data-copy=endpoint]")).to_contain_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == gateway.endpoint
        page.goto("/clients?auth=token-env&toolset=numbers")
        page.locator("[data-copy=file-vscode]").click()
        copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
        entry = {"type": "http", "url": f"{gateway.endpoint}/numbers"}
        entry["headers"] = {"Authorization": "Bearer ${env:CAUSEWAY_TOKEN}"}
        assert copied == {"servers": {"numbers": entry}}


def test_light_and_dark_are_chosen_and_kept(gateway: Gateway) -> None:
    with watched(gateway, color_scheme="light") as page:
        page.goto("/")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.get_by_role("button", name="Switch between light and dark").click()
        dark = page.evaluate(ground)
        page.goto("/calls")
        assert light != dark and page.evaluate(ground) == dark


def test_without_scripts_it_works_too(gateway: Gateway) -> None:
    with watched(gateway, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("link", name="Catalog", exact=True).click()
        page.get_by_role("searchbox").fill("multiply")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("details.entry")).to_have_count(1)
        page.locator("details.entry summary").first.click()
        page.get_by_role("link", name="Try this tool").click()
        page.get_by_label("a number").fill("6")
        page.get_by_label("b number").fill("7")
        page.get_by_role("button", name="Call it").click()
        expect(page.locator("section.result")).to_contain_text("42")
        page.goto("/calls")
        page.get_by_label("Show").select_option("failed")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("#calls tr").first).to_be_visible()
        expect(page.locator("button[data-copy]").first).to_be_hidden()


def test_the_keyboard_is_enough(gateway: Gateway) -> None:
    def until_focused(page: Page, wanted: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"no Tab leads to {wanted}")

    with watched(gateway) as page:
        page.goto("/catalog?q=add_numbers")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        until_focused(page, "details.entry > summary")
        page.keyboard.press("Enter")
        until_focused(page, "a.button")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", "one sees where one is"
        page.keyboard.press("Enter")
        page.wait_for_url("**/tools/**")
        until_focused(page, "[name='a.=a']")
        page.keyboard.type("40")
        page.keyboard.press("Tab")
        page.keyboard.type("2")
        page.keyboard.press("Enter")
        expect(page.locator("section.result")).to_contain_text("42")


def test_beside_development_it_is_there_as_well() -> None:
    with dev() as running, watched(running) as page:
        page.goto("/")
        expect(page.locator("article").first).to_contain_text("works")
        page.goto("/tools/calculator___add_numbers")
        page.get_by_label("a number").fill("40")
        page.get_by_label("b number").fill("2")
        page.get_by_role("button", name="Call it").click()
        expect(page.locator("section.result")).to_contain_text("42")
        for path in PAGES.values():
            page.goto(path)
            assert running.token not in page.content()


def test_elsewhere_a_token_is_asked_for() -> None:
    clients = [{"id": "ops", "secret": "hunter2-of-ops", "scope": "gateway/call", "ttl": 3600}]
    config = """
[admin]
listen = "0.0.0.0:{port}"
[authorizer.custom_jwt]
discovery_url = "{discovery}"
allowed_clients = ["ops"]
[gateway]
listen = "127.0.0.1:0"
[[targets]]
name = "calculator"
stdio.command = ["{program}", "sample", "calculator", "--stdio"]
"""
    port = free_port()
    with rotating_issuer(clients) as issuer:
        text = config.format(port=port, discovery=issuer.discovery_url, program=causeway())
        with serve(text) as running:
            running.admin = f"http://127.0.0.1:{port}"
            token = issuer.token("ops")
            with watched(running) as page:
                page.goto("/catalog?q=add")
                picture(page, "dashboard-sign-in")
                page.get_by_label("Access token").fill("nonsense")
                page.get_by_role("button", name="Sign in").click()
                expect(page.get_by_role("alert")).to_contain_text("does not accept this token")
                page.get_by_label("Access token").fill(token)
                page.get_by_role("button", name="Sign in").click()
                expect(page.locator("details.entry")).to_have_count(1)
                assert token not in page.content()
                cookie = page.context.cookies()[0]
                assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and token not in cookie["value"]
                assert page.evaluate("document.cookie") == ""
                page.get_by_role("button", name="Sign out").click()
                page.goto("/catalog")
                expect(page.get_by_label("Access token")).to_be_visible()
