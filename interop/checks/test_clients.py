"""Every real client through one gateway against every real server: it lists, calls, reads, completes, cancels, answers what it
is asked and hears of changes. The same as `interop/clients`."""

import pytest

from harness.gateway import Gateway
from matrix.clients import CLIENTS, Client
from matrix.outcome import play
from matrix.script import Server
from matrix.servers import behind_one_gateway


@pytest.fixture(scope="module")
def gateway():
    with behind_one_gateway() as running_gateway:
        yield running_gateway


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_client_does_all_that_it_can_with_every_server(gateway: Gateway, client: Client) -> None:
    outcome = play(client, gateway)
    assert outcome.protocol == client.protocol
    assert outcome.wrong() == []
    assert outcome.unable() == [*client.cannot]


def test_what_is_not_as_expected_is_told() -> None:
    [step] = Server("s").call("t", {}, asked=["who?"], text=lambda text: "a" in text, progress=[[1, 2], [2, 2]]).steps
    good = {"isError": False, "asked": ["who?"], "text": "abc", "progress": [[1, 2], [1, None], [2, 2]]}
    assert step.wrong(good) is None
    bad = [{"isError": True}, {"asked": []}, {"text": "b"}, {"progress": [[1, 2]]}]
    told = [step.wrong(good | change) for change in bad]
    assert told == ["isError is True", "asked is []", "text is 'b'", "progress is [[1, 2]]"]
    assert step.wrong({"error": "gone", "asked": []}) == "gone"
