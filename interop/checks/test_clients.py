"""Every real client through one gateway against every real server: it lists, calls, reads, completes, cancels, answers what it
is asked and hears of changes. The same as `interop/clients`."""

import pytest

from harness.gateway import Gateway
from matrix.clients import CLIENTS, Client
from matrix.outcome import play
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
