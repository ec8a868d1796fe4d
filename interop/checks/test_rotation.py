"""An issuer (oidc-provider) that changes its keys while calls run, on both sides of `causeway serve`."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.clients import CLIENTS
from harness.gateway import Gateway, post, sample, serve
from harness.issuer import Issuer, rotating_issuer
from harness.process import until

HOUR = 3600
SHORT = 10
TOOL = "calculator___add_numbers"


@pytest.fixture
def issuer():
    clients = [
        {"id": "caller", "secret": "caller-secret", "scope": "gateway/invoke", "ttl": HOUR},
        {"id": "brief", "secret": "brief-secret", "scope": "gateway/invoke", "ttl": SHORT},
        {"id": "gateway", "secret": "gateway-secret", "scope": "calculator/invoke", "ttl": HOUR},
    ]
    with rotating_issuer(clients) as running_issuer:
        yield running_issuer


@pytest.fixture
def gateway(issuer: Issuer):
    demanded = ["--jwt-discovery-url", issuer.discovery_url, "--jwt-allowed-clients", "gateway"]
    with sample("calculator", *demanded) as calculator:
        # An expired token is tolerated for minutes, so that what refuses one here is its key and not its age.
        config = f"""
            [gateway]
            listen = "127.0.0.1:0"

            [authorizer.custom_jwt]
            discovery_url = "{issuer.discovery_url}"
            allowed_clients = ["caller", "brief"]
            clock_skew_seconds = 300

            [[targets]]
            name = "calculator"
            http.endpoint = "{calculator}"

            [targets.credential.client_credentials]
            token_endpoint = "{issuer.token_endpoint}"
            client_id = "gateway"
            client_secret_env = "CALCULATOR_CLIENT_SECRET"
        """
        with serve(config, {"CALCULATOR_CLIENT_SECRET": "gateway-secret"}) as running_gateway:
            yield running_gateway


def test_no_call_fails_while_keys_change(issuer: Issuer, gateway: Gateway) -> None:
    """Four callers, each call with a token of its own; the key changes three times, once without notice."""
    stop, calls, called = threading.Event(), [], threading.Condition()

    def caller() -> None:
        while not stop.is_set():
            answer = call(gateway, issuer.token("caller"))
            with called:
                calls.append(answer)
                called.notify_all()

    def after(count: int) -> None:
        with called:
            reached = called.wait_for(lambda: len(calls) >= count or any(workers_failed()), timeout=60)
        assert reached, f"{len(calls)} calls in a minute"

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(caller) for _ in range(4)]
        workers_failed = lambda: (worker.done() for worker in workers)  # noqa: E731
        try:
            signing = set()
            for how in ["rotate", "rotate-unannounced", "rotate"]:
                after(len(calls) + 20)
                signing.add(issuer.change_keys(how)[0])
            after(len(calls) + 20)
        finally:
            stop.set()
        for worker in workers:
            worker.result()
    assert len(signing) == 3
    assert [answer for answer in calls if answer != (200, "5")] == []


def test_tokens_of_a_dropped_key_are_refused(issuer: Issuer, gateway: Gateway) -> None:
    unshown, brief = issuer.token("caller"), issuer.token("brief")
    assert call(gateway, brief) == (200, "5")
    issuer.change_keys("rotate")
    kept = issuer.token("brief")
    assert call(gateway, kept) == (200, "5")
    issuer.change_keys("drop")
    # Until it meets a key that is new to it, the gateway goes by those that it has.
    issuer.change_keys("rotate-unannounced")
    newest = issuer.token("caller")
    assert call(gateway, newest) == (200, "5")

    assert call(gateway, unshown)[0] == 401
    # A token that was shown before is remembered, but not beyond its expiry.
    until(lambda: call(gateway, brief)[0] == 401, "the remembered token of a dropped key is refused", 90)
    assert call(gateway, kept) == (200, "5")
    # Clients that come after the change see nothing of it.
    for client in [CLIENTS[0], CLIENTS[-1]]:
        assert client.run(gateway.endpoint, newest, (TOOL, {"a": 2, "b": 3})).calls[0]["text"] == "5"


def call(gateway: Gateway, token: str) -> tuple[int, str]:
    """Status and answer of one call."""
    answer = post(gateway.endpoint, token, "tools/call", name=TOOL, arguments={"a": 2, "b": 3})
    return answer.status_code, answer.json().get("result", {}).get("content", [{}])[0].get("text", answer.text)
