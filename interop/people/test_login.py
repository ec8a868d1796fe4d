"""Logging in with a real browser: Chromium goes through the gateway's consent page and the issuer's login page, for the OAuth clients
of the Python and the TypeScript SDKs, which find everything by themselves. Issuers: the one of `causeway dev`, an `oidc-provider` that
is as strict as Cognito, another that has all that MCP asks for, and ministack's Cognito."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import botocore
import botocore.config
import httpx2
import pytest

from harness.browser import browser, picture
from harness.clients import LEGACY, Client
from harness.gateway import HERE, ROOT, Gateway, dev, post, sample, serve
from harness.listener import Answer, listening
from harness.login import LOGINS, Issuer, Program, agree, as_developer, issuer, program
from harness.ministack import ministack
from harness.process import Process, free_port, node, until
from harness.tls import authority

ADD = ("calculator___add_numbers", {"a": 40, "b": 2})
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """`causeway dev`, with the config.toml of the repository."""
    with dev() as running:
        yield running


def checked(running: Program, client: Client, client_id: str) -> None:
    """It has listed and called, before and after its token was refreshed."""
    lines = running.ended()
    assert [line["protocol"] for line in lines if "protocol" in line] == [client.protocol] * 2
    calls = [line for line in lines if "call" in line]
    assert [(call["isError"], float(call["text"])) for call in calls] == [(False, 42)] * 2
    assert sum("open" in line for line in lines) == 1, "its user was asked once"
    # Behind the one client's id rides the name that a program registered with.
    assert next(line for line in lines if "client_id" in line)["client_id"].split("~")[0] == client_id
    assert lines[-1] == {"refreshed": True}


@pytest.mark.parametrize("client", LOGINS, ids=str)
def test_a_client_finds_the_gateway_and_logs_its_user_in(gateway: Gateway, client: Client) -> None:
    with program(client, gateway.endpoint, ADD) as running, browser() as context:
        agree(context.new_page(), running.url, as_developer)
        checked(running, client, "development-login")


def test_the_consent_page_says_what_is_asked(gateway: Gateway) -> None:
    with program(LOGINS[0], gateway.endpoint) as running, browser() as context:
        page = context.new_page()
        page.goto(running.url)
        picture(page, "login-consent")
        text = page.locator("body").inner_text()
        assert "A program on this computer\nIt calls itself\nInterop (Python)\n" in text
        assert re.search(r"http://127\.0\.0\.1:\d+/callback", text)
        assert "causeway/invoke" in text
        # The style that the page's own policy lets in.
        assert page.locator("dl").evaluate("box => getComputedStyle(box).borderStyle") == "solid"
        page.get_by_role("button", name="Go on and log in").click()
        picture(page, "login-development-issuer")
        page.go_back()
        page.get_by_role("button", name="Cancel").click()
        refused = running.said("refused", "its user said no")["refused"]
        assert (refused["error"], refused["iss"]) == ("access_denied", gateway.endpoint.removesuffix("/mcp"))


def test_no_page_shows_the_consent_page_in_a_frame(gateway: Gateway) -> None:
    with served("<!doctype html><iframe src='%s'></iframe>" % authorization(gateway)) as stranger, browser() as context:
        page = context.new_page()
        page.goto(stranger)
        frame = until(lambda: next((one for one in page.frames if one.parent_frame and one.url), None), "there is a frame")
        frame.wait_for_load_state()
        assert "chrome-error:" in frame.url, frame.url


def test_a_temporary_password_is_changed_on_the_way() -> None:
    chosen = {"COGNITO_USERNAME": "alice", "COGNITO_TEMP_PASSWORD": "For-the-start-1", "COGNITO_PASSWORD": "Never-used-1"}

    def log_in(page) -> None:
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password").fill("For-the-start-1")
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("New password").fill("My-own-password-1")
        page.get_by_role("button", name="Set the password").click()

    with dev(env=chosen) as gateway, program(LOGINS[0], gateway.endpoint, ADD) as running, browser() as context:
        agree(context.new_page(), running.url, log_in)
        checked(running, LOGINS[0], "development-login")


def test_the_development_issuer_takes_passwords_as_cognito_does() -> None:
    """Without a browser; AWS's own SDK judges the answers."""
    with dev() as gateway:
        metadata = httpx2.get(gateway.endpoint.replace("/mcp", "/.well-known/oauth-authorization-server"), trust_env=False)
        issuer_url = urlsplit(metadata.json()["jwks_uri"])
        unsigned = botocore.config.Config(signature_version=botocore.UNSIGNED)
        where = {"region_name": "us-east-1", "endpoint_url": f"http://{issuer_url.netloc}", "config": unsigned}
        cognito = boto3.client("cognito-idp", **where)
        ask = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "development-login"}
        user = lambda password: {"USERNAME": "developer", "PASSWORD": password}  # noqa: E731
        tokens = cognito.initiate_auth(**ask, AuthParameters=user("Development-1"))["AuthenticationResult"]
        # As with Cognito, such a token has no scope of a resource server, and the gateway of this config.toml asks for one.
        assert post(gateway.endpoint, tokens["AccessToken"]).status_code == 403
        with pytest.raises(cognito.exceptions.NotAuthorizedException):
            cognito.initiate_auth(**ask, AuthParameters=user("guessed"))
        challenge = cognito.initiate_auth(**ask, AuthParameters=user("Temporary-1"))
        assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        answer = {"USERNAME": "developer", "NEW_PASSWORD": "My-own-password-1"}
        told = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "ClientId": "development-login", "Session": challenge["Session"]}
        assert "AuthenticationResult" in cognito.respond_to_auth_challenge(**told, ChallengeResponses=answer)


@pytest.mark.parametrize("client", [LOGINS[1], LOGINS[2], LOGINS[4]], ids=str)
def test_a_client_that_publishes_a_document_needs_no_registration(client: Client) -> None:
    config = (ROOT / "config.toml").read_text() + '\n[login]\nclient_id = "causeway-client"\nclient_documents = "local"\n'
    document: dict = {}
    with authority() as trusted, published(document) as plain, trusted.front(f"{plain}/client.json") as url:
        named = {"client_id": url, "client_name": "Interop's own", "redirect_uris": ["http://127.0.0.1/callback"]}
        document.update(named, token_endpoint_auth_method="none")
        with dev(config, env=trusted.environment) as gateway, browser() as context:
            with program(client, gateway.endpoint, ADD, env={"CLIENT_ID_URL": url}) as running:
                assert parse_qs(urlsplit(running.url).query)["client_id"] == [url]
                page = context.new_page()
                page.goto(running.url)
                shown = page.locator("dl").inner_text()
                assert "A client published by 127.0.0.1\nIt calls itself\nInterop's own\n" in shown
                agree(page, running.url, as_developer)
                checked(running, client, url)


@pytest.mark.parametrize("client", LOGINS, ids=str)
def test_before_an_issuer_as_strict_as_cognito(strict: tuple[Gateway, Issuer], client: Client) -> None:
    gateway, behind = strict
    before = behind.grants()
    with program(client, gateway.endpoint, ADD) as running, browser() as context:
        agree(context.new_page(), running.url, behind.log_in)
        checked(running, client, "people")
    grants = {name: count - before.get(name, 0) for name, count in behind.grants().items()}
    assert grants == {"authorization_code": 1, "refresh_token": 1}


@pytest.fixture(scope="module")
def strict() -> Iterator[tuple[Gateway, Issuer]]:
    """A gateway that stands before it, with a target of its own."""
    with issuer("strict") as behind, sample("calculator") as calculator:
        login = '[login]\nclient_id = "people"\nscopes = ["openid", "offline_access", "tools"]\n'
        with serve(config(behind.discovery_url, 'allowed_clients = ["people"]', login, calculator)) as gateway:
            behind.register(gateway.endpoint.replace("/mcp", "/login/callback"))
            yield gateway, behind


def test_that_issuer_is_strict(strict: tuple[Gateway, Issuer]) -> None:
    gateway, behind = strict
    callback = gateway.endpoint.replace("/mcp", "/login/callback")
    good = {
        "client_id": "people",
        "response_type": "code",
        "redirect_uri": callback,
        "scope": "openid tools",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }

    def ask(**changes: str) -> str:
        answer = httpx2.get(f"{behind.url}/auth", params=good | changes, trust_env=False)
        return answer.headers.get("location", "") + answer.text

    assert "/interaction/" in ask()
    assert "invalid_redirect_uri" in ask(redirect_uri="http://127.0.0.1:1/callback")
    assert "invalid_target" in ask(resource=gateway.endpoint)
    assert httpx2.post(f"{behind.url}/reg", json={"redirect_uris": [callback]}, trust_env=False).status_code == 404


@pytest.mark.parametrize("client", LOGINS, ids=str)
def test_an_issuer_that_has_it_all_is_passed_through(client: Client) -> None:
    with issuer("full") as behind, sample("calculator") as calculator, browser() as context:
        rules = 'allowed_scopes = ["tools"]'
        with serve(config(behind.discovery_url, rules, '[login]\nmode = "pass_through"\n', calculator)) as gateway:
            base = gateway.endpoint.removesuffix("/mcp")
            own = httpx2.get(behind.discovery_url, trust_env=False).content
            for name in ["oauth-authorization-server", "openid-configuration"]:
                assert httpx2.get(f"{base}/.well-known/{name}", trust_env=False).content == own
            with program(client, gateway.endpoint, ADD) as running:
                page = context.new_page()
                assert running.url.startswith(behind.url), running.url
                page.goto(running.url)
                behind.log_in(page)
                page.get_by_text("You are back at the program.").wait_for()
                lines = running.ended()
    assert [float(line["text"]) for line in lines if "call" in line][:1] == [42]


def test_before_the_cognito_of_ministack() -> None:
    """With a user whom an administrator made, as C6 of AWS's own toolkit does: the first login sets the password."""
    with ministack() as account, sample("calculator") as calculator, browser() as context:
        cognito = account.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
        cognito.create_user_pool_domain(Domain="interop-people", UserPoolId=pool)
        made = {
            "UserPoolId": pool,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthScopes": ["openid", "email"],
            "SupportedIdentityProviders": ["COGNITO"],
            "CallbackURLs": ["https://not.yet.example/"],
        }
        client = cognito.create_user_pool_client(ClientName="people", GenerateSecret=False, **made)["UserPoolClient"]["ClientId"]
        cognito.admin_create_user(UserPoolId=pool, Username="carol", TemporaryPassword="Temporary-1", MessageAction="SUPPRESS")
        discovery = f"{account.url}/{pool}/.well-known/openid-configuration"
        login = f'[login]\nclient_id = "{client}"\nscopes = ["openid"]\n'

        def log_in(page) -> None:
            page.locator("#username").fill("carol")
            page.locator("#password").fill("Temporary-1")
            page.locator("#password").press("Enter")
            page.locator("#new_password").fill("My-own-password-1")
            page.locator("#confirm_password").fill("My-own-password-1")
            page.locator("#confirm_password").press("Enter")

        with serve(config(discovery, f'allowed_clients = ["{client}"]', login, calculator)) as gateway:
            callback = gateway.endpoint.replace("/mcp", "/login/callback")
            cognito.update_user_pool_client(ClientId=client, **made | {"CallbackURLs": [callback]})
            with program(LOGINS[4], gateway.endpoint, ADD) as running:
                agree(context.new_page(), running.url, log_in)
                checked(running, LOGINS[4], client)


def test_another_browser_cannot_go_on_with_a_login(gateway: Gateway) -> None:
    with browser() as context, served("You are back at the program.") as landing:
        page = context.new_page()
        page.goto(authorization(gateway, redirect_uri=landing))
        page.get_by_role("button", name="Go on and log in").click()
        page.get_by_label("Password").wait_for()
        # The browser's own request, which does not follow where it is sent.
        login = {"username": "developer", "password": "Development-1"}
        url = context.request.post(page.url, form=login, max_redirects=0).headers["location"]

        # In the browser of somebody else: without cookies, and with those of a login of their own.
        other = context.browser.new_context().new_page()
        for _ in range(2):
            answer = other.goto(url)
            assert answer.status == 400
            assert "was not begun in this browser" in other.locator("body").inner_text()
            other.goto(authorization(gateway, redirect_uri=landing))
            other.get_by_role("button", name="Go on and log in").click()

        page.goto(url)
        back = parse_qs(urlsplit(page.url).query)
        assert page.url.startswith(landing) and back["state"] == ["the client's own"]
        assert page.goto(url).status == 400, "once"

        form = {"grant_type": "authorization_code", "client_id": "development-login", "code": back["code"][0]}
        good = form | {"redirect_uri": landing, "code_verifier": VERIFIER}
        token = gateway.endpoint.replace("/mcp", "/login/token")
        changed = [("code_verifier", CHALLENGE), ("redirect_uri", "http://127.0.0.1:1/"), ("resource", "https://other.example/mcp")]
        for change in changed:
            assert httpx2.post(token, data=good | dict([change]), trust_env=False).status_code == 400, change
        answer = httpx2.post(token, data=good, trust_env=False)
        assert post(gateway.endpoint, answer.raise_for_status().json()["access_token"]).status_code == 200
        assert httpx2.post(token, data=good, trust_env=False).status_code == 400, "once"


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "http://127.0.0.1.evil.example/", "javascript:alert(1)", "data:text/html,<b>", "//evil.example"]
)
def test_nobody_is_sent_to_a_strange_place(gateway: Gateway, place: str) -> None:
    with browser() as context:
        page = context.new_page()
        answer = page.goto(authorization(gateway, redirect_uri=place))
        assert answer.status == 400 and page.url.startswith(gateway.endpoint.removesuffix("/mcp"))
        assert "redirect_uri" in page.locator("body").inner_text()
        picture(page, "login-refused")


def test_mcp_remote_logs_in_for_clients_that_only_speak_stdio(gateway: Gateway, tmp_path: Path) -> None:
    bridge = [node(), str(HERE / "node_modules/mcp-remote/dist/proxy.js"), gateway.endpoint, "--allow-http"]
    with Process([*bridge, "--transport", "http-only"], {"HOME": str(tmp_path)}) as process, browser() as context:
        page = context.new_page()
        page.goto(process.wait_for(lambda: authorization_url(process.errors), "it sent its user to log in"))
        page.get_by_role("button", name="Go on and log in").click()
        as_developer(page)
        page.get_by_text("Authorization successful").wait_for()
        about = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "interop", "version": "1"}}
        answered(process, 1, "initialize", about)
        process.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        name, arguments = ADD
        result = answered(process, 2, "tools/call", {"name": name, "arguments": arguments})
        assert float(result["content"][0]["text"]) == 42


def test_the_inspector_logs_in_and_shows_the_tools(gateway: Gateway, tmp_path: Path) -> None:
    inspector = [node(), str(HERE / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js")]
    settings = {
        "HOME": str(tmp_path),
        "CLIENT_PORT": str(free_port()),
        "MCP_SANDBOX_PORT": str(free_port()),
        "MCP_AUTO_OPEN_ENABLED": "false",
        "MCP_INSPECTOR_SECRET_STORE": "memory",
    }
    with Process([*inspector, gateway.endpoint, "--transport", "http"], settings) as process, browser() as context:
        page = context.new_page()
        lines = lambda: (re.search(r"http://\S+API_TOKEN=\S+", line) for line in process.lines + process.errors)  # noqa: E731
        page.goto(process.wait_for(lambda: next((match.group(0) for match in lines() if match), None), "it served"))
        page.get_by_role("switch").click(force=True)
        page.get_by_role("button", name="Go on and log in").click()
        as_developer(page)
        page.get_by_text("Authentication succeeded.").wait_for()
        page.get_by_text("Tools", exact=True).click()
        page.get_by_text("calculator___add_numbers").first.wait_for()
        picture(page, "login-inspector")


def test_the_official_suite_takes_the_gateway_for_an_authorization_server(gateway: Gateway) -> None:
    base, port = gateway.endpoint.removesuffix("/mcp"), free_port()
    suite = [node(), str(HERE / "node_modules/@modelcontextprotocol/conformance/dist/index.js"), "authorization"]
    told = ["--url", base, "--client-id", "development-login", "--port", str(port), "--resource", gateway.endpoint]
    with Process([*suite, *told]) as process, browser() as context:
        page = context.new_page()
        page.goto(process.wait_for(lambda: authorization_url(process.lines), "it sent its user to log in"))
        page.get_by_role("button", name="Go on and log in").click()
        as_developer(page)
        assert process.wait() == 0, process.log()
        summary = process.wait_for(lambda: next((line for line in process.lines if line.startswith("Total:")), None), "it ended")
        assert summary == "Total: 3 passed, 0 failed"


def authorization_url(lines: list[str]) -> str | None:
    """Where a program sends its user, by what it prints."""
    found = (re.search(r"http\S+/login/authorize\S+", line) for line in lines)
    return next((match.group(0) for match in found if match), None)


def answered(process: Process, number: int, method: str, params: dict) -> dict:
    """The result of a request over standard streams."""
    process.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
    messages = lambda: (json.loads(line) for line in process.lines if line.startswith("{"))  # noqa: E731
    found = lambda: next((one for one in messages() if one.get("id") == number), None)  # noqa: E731
    return process.wait_for(found, f"{method} was answered")["result"]


def config(discovery_url: str, rules: str, login: str, calculator: str) -> str:
    return f"""
        [gateway]
        listen = "127.0.0.1:0"

        [authorizer.custom_jwt]
        discovery_url = "{discovery_url}"
        {rules}

        {login}

        [[targets]]
        name = "calculator"
        http.endpoint = "{calculator}"
    """


def authorization(gateway: Gateway, redirect_uri: str = "http://127.0.0.1:1/callback") -> str:
    """Where a client of one's own sends its user."""
    query = {
        "response_type": "code",
        "client_id": "development-login",
        "redirect_uri": redirect_uri,
        "state": "the client's own",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{gateway.endpoint.removesuffix('/mcp')}/login/authorize?{urlencode(query)}"


@contextmanager
def answering(kind: str, body: Callable[[], str]) -> Iterator[str]:
    """A site that answers everything with what `body` gives; gives its URL."""
    with listening(lambda _: Answer(200, body().encode(), {"content-type": kind})) as url:
        yield url


@contextmanager
def served(page: str) -> Iterator[str]:
    """A site of one page."""
    with answering("text/html", lambda: page) as url:
        yield f"{url}/"


@contextmanager
def published(document: dict) -> Iterator[str]:
    """A site of one JSON document, which may change."""
    with answering("application/json", lambda: json.dumps(document)) as url:
        yield url
