"""Local log files and CloudWatch Logs, as ministack emulates it: the same events in both, the same answers to the same queries.

ministack knows `fields`, `filter ... like /.../`, `sort` and `limit`; the rest of the language is compared with answers worked out
by hand, in the tests of the server.
"""

import time
from collections.abc import Iterator

import pytest

from harness.clients import CLIENTS
from harness.gateway import sample
from harness.ministack import ministack

GROUP = "/interop/local"
STREAM = "one.log"
WORDS = ["INFO started", "ERROR out of paper", "info retried", "ERROR out of ink", "WARN tray 2", "ERROR (tray) open | shut"]
QUERIES = [
    "fields @timestamp, @message | sort @timestamp desc | limit 3",
    "fields @timestamp, @message | sort @timestamp asc | limit 20",
    "fields @message | filter @message like /ERROR/ | sort @timestamp desc",
    "fields @message | filter @message like /out of (paper|ink)/ | sort @timestamp asc",
    "fields @message | filter @message like /(?i)INFO/ | sort @timestamp asc",
    r"fields @message, @timestamp | filter @message like /\(tray\)/ | sort @timestamp desc | limit 1",
    "filter @message like /nothing of the kind/ | sort @timestamp desc",
    "fields @timestamp | sort @timestamp desc | limit 1",
    "fields @message, @logStream | sort @timestamp asc | limit 2",
]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The server over CloudWatch, and the server over files that hold what CloudWatch holds."""
    first = int(time.time() * 1000) - 600_000
    events = [
        {"timestamp": first + 1_000 * at, "message": f"{shown(first + 1_000 * at)} {WORDS[at % len(WORDS)]} {at}"}
        for at in range(24)
    ]
    folder = tmp_path_factory.mktemp("logs")
    file = folder / GROUP.removeprefix("/") / STREAM
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"{event['message']}\n" for event in events))
    with ministack() as aws:
        logs = aws.client("logs")
        logs.create_log_group(logGroupName=GROUP)
        logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
        logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=events)
        remote = sample("cloudwatch-insights", env=aws.environment() | {"ALLOWED_LOG_GROUPS": GROUP})
        local = sample("cloudwatch-insights", env={"LOG_SOURCE": "directory", "LOG_DIRECTORY": str(folder)})
        with remote as remote_url, local as local_url:
            yield remote_url, local_url


@pytest.mark.parametrize("query", QUERIES)
def test_the_same_rows(servers: tuple[str, str], query: str) -> None:
    remote, local = (ask(url, query) for url in servers)
    assert remote["rows"] == local["rows"]
    # CloudWatch names columns by its rows alone, so without one it names none.
    assert remote["columns"] == (local["columns"] if local["rows"] else [])
    assert len(local["rows"]) > 0 or "nothing" in query


def test_the_same_counts(servers: tuple[str, str]) -> None:
    remote, local = (ask(url, "filter @message like /ERROR/ | limit 2")["statistics"] for url in servers)
    for count in ["recordsMatched", "recordsScanned"]:
        assert remote[count] == local[count], count


def shown(millis: int) -> str:
    """RFC 3339, as a log writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000)) + f".{millis % 1000:03d}Z"


def ask(url: str, query: str) -> dict:
    asked = {"query": query, "log_groups": [GROUP], "start": "1h"}
    answer = CLIENTS[0].run(url, None, ("query_cloudwatch_insights", asked)).calls[0]
    assert not answer["isError"], answer["text"]
    return answer["structured"]
