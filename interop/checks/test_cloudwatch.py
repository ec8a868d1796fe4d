"""The sample server `cloudwatch-insights` with CloudWatch Logs, as ministack emulates it, asked through the gateway."""

import time

import pytest

from harness.account import Account, may
from harness.clients import CLIENTS, Client
from harness.gateway import Gateway, dev
from harness.ministack import ministack

TOOL = "cloudwatch-insights___query_cloudwatch_insights"
GROUP, SECRET_GROUP = "/interop/app", "/interop/payroll"
MESSAGES = ["INFO started", "ERROR out of paper", "INFO retried", "ERROR out of ink"]


@pytest.fixture(scope="module")
def aws():
    with ministack() as running_aws:
        yield running_aws


@pytest.fixture(scope="module")
def gateway(aws: Account):
    logs = aws.client("logs")
    now = int(time.time() * 1000)
    for group in [GROUP, SECRET_GROUP]:
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        events = [{"timestamp": now - 60_000 + at, "message": text} for at, text in enumerate(MESSAGES)]
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
    with dev(env=aws.environment() | {"ALLOWED_LOG_GROUPS": GROUP}) as running_gateway:
        yield running_gateway


@pytest.mark.parametrize("client", [CLIENTS[0], CLIENTS[2], CLIENTS[3], CLIENTS[6]], ids=str)
def test_a_query_answers_rows(gateway: Gateway, client: Client) -> None:
    query = "fields @timestamp, @message | filter @message like /ERROR/ | sort @timestamp desc"
    asked = {"query": query, "log_groups": [GROUP], "start": "1h"}
    answer = client.run(gateway.endpoint, gateway.token, (TOOL, asked)).calls[0]
    assert not answer["isError"], answer["text"]
    assert [row["@message"] for row in answer["structured"]["rows"]] == ["ERROR out of ink", "ERROR out of paper"]
    assert "ERROR out of ink" in answer["text"]


def test_another_group_is_refused(gateway: Gateway) -> None:
    answer = ask(gateway, SECRET_GROUP)
    assert answer["isError"]
    assert f"may not read `{SECRET_GROUP}`" in answer["text"] and "out of" not in answer["text"]


def test_an_identity_that_may_not_query_is_a_tool_error(aws: Account) -> None:
    identity = aws.user(may("logs:GetQueryResults"))
    with dev(env=identity | {"ALLOWED_LOG_GROUPS": GROUP}) as gateway:
        answer = ask(gateway, GROUP)
    assert answer["isError"] and "AccessDeniedException" in answer["text"], answer["text"]
    assert "logs:StartQuery" in answer["text"], answer["text"]


def test_unknown_credentials_are_a_tool_error(aws: Account) -> None:
    unknown = {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN", "ALLOWED_LOG_GROUPS": GROUP}
    with dev(env=aws.environment() | unknown) as gateway:
        answer = ask(gateway, GROUP)
    assert answer["isError"] and "UnrecognizedClientException" in answer["text"], answer["text"]


def ask(gateway: Gateway, group: str) -> dict:
    asked = {"query": "fields @message", "log_groups": [group]}
    return CLIENTS[0].run(gateway.endpoint, gateway.token, (TOOL, asked)).calls[0]
