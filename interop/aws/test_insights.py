"""The sample server `cloudwatch-insights` with AWS on the other side: ministack, which checks signatures and policies, moto as a
second opinion, and for what neither does a double that botocore's model judges."""

import json
import time
import uuid

import pytest
from aws.doubles.logs import Logs, Refusal, logs

from harness.account import REGION, Account, may
from harness.clients import CLIENTS, Client
from harness.gateway import causeway, dev, post, sample
from harness.ministack import ministack
from harness.moto import Moto, moto
from harness.process import Process

NAME = "cloudwatch-insights"
QUERY, LIST, FIELDS = "query_cloudwatch_insights", "list_log_groups", "get_log_fields"
APP, WORKER, PAYROLL = "/interop/app", "/interop/worker", "/interop/payroll"
MESSAGES = ['{"level": "INFO", "text": "started"}', '{"level": "ERROR", "text": "out of paper"}', "plain"]
HIDDEN = "this-must-not-be-shown"


@pytest.fixture(scope="module")
def aws():
    with ministack() as running_aws:
        client = running_aws.client("logs")
        for group in [APP, WORKER, PAYROLL]:
            fill(client, group)
        for number in range(120):
            client.create_log_group(logGroupName=f"/many/{number:03}")
        client.put_retention_policy(logGroupName="/many/000", retentionInDays=14)
        yield running_aws


def fill(client, group: str) -> None:
    """A log group with a few recent events."""
    now = int(time.time() * 1000)
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName="one")
    events = [{"timestamp": now - 60_000 + at, "message": text} for at, text in enumerate(MESSAGES)]
    client.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)


def group_arn(name: str) -> str:
    return f"arn:aws:logs:{REGION}:*:log-group:{name}"


def reader(aws: Account, *groups: str) -> dict[str, str]:
    """The environment of a role whose policy allows these log groups: the second guard beside the server's own list."""
    resources = [arn for group in groups for arn in (group_arn(group), f"{group_arn(group)}:*")]
    query = may("logs:StartQuery", "logs:GetLogGroupFields", resources=resources)
    user = aws.user(query, may("logs:GetQueryResults", "logs:StopQuery"))
    return user | {"ALLOWED_LOG_GROUPS": ",".join(groups)}


def call(url: str, tool: str, **arguments: object) -> dict:
    """The result of one call."""
    return post(url, None, "tools/call", name=tool, arguments=arguments).raise_for_status().json()["result"]


def rows(result: dict) -> list[dict]:
    assert not result["isError"], text(result)
    return result["structuredContent"]["rows"]


def text(result: dict) -> str:
    return result["content"][0]["text"]


def groups(result: dict) -> list[str]:
    assert not result["isError"], text(result)
    return [group["name"] for group in result["structuredContent"]["logGroups"]]


def test_a_role_with_the_same_list_may_query_and_list_fields(aws: Account) -> None:
    with sample(NAME, env=reader(aws, APP)) as url:
        found = call(url, QUERY, query="fields @message | filter @message like /ERROR/")
        assert [row["@message"] for row in rows(found)] == [MESSAGES[1]]
        scanned = found["structuredContent"]["statistics"]
        assert (scanned["recordsMatched"], scanned["recordsScanned"]) == (1, len(MESSAGES))
        fields = call(url, FIELDS, log_group=APP)["structuredContent"]["fields"]
        percent = {field["name"]: field["percent"] for field in fields}
        assert percent["@message"] == 100 and percent["level"] == 67, percent


def test_the_list_of_the_server_is_the_first_guard(aws: Account) -> None:
    # Whoever runs as this may read everything; the server does not.
    with sample(NAME, env=aws.environment() | {"ALLOWED_LOG_GROUPS": APP}) as url:
        for tool, arguments in [
            (QUERY, {"query": "fields @message", "log_groups": [APP, PAYROLL]}),
            (FIELDS, {"log_group": PAYROLL}),
            (LIST, {"prefix": PAYROLL}),
        ]:
            result = call(url, tool, **arguments)
            assert result["isError"] and f"may not read `{PAYROLL}" in text(result), text(result)


def test_the_policy_of_the_role_is_the_second_guard(aws: Account) -> None:
    lists_more = {"ALLOWED_LOG_GROUPS": f"{APP},{PAYROLL}"}
    with sample(NAME, env=reader(aws, APP) | lists_more) as url:
        assert rows(call(url, QUERY, query="fields @message", log_groups=[APP]))
        for tool, arguments in [
            (QUERY, {"query": "fields @message", "log_groups": [PAYROLL]}),
            (FIELDS, {"log_group": PAYROLL}),
            (LIST, {}),
        ]:
            result = call(url, tool, **arguments)
            assert result["isError"] and "`AccessDeniedException`" in text(result), text(result)
            assert "allow the identity that the server runs as `logs:" in text(result), text(result)


def test_several_groups_are_queried_at_once(aws: Account) -> None:
    with sample(NAME, env=aws.environment() | {"ALLOWED_LOG_GROUPS": f"{APP},{WORKER}"}) as url:
        found = call(url, QUERY, query="fields @message, @log")
        assert len(rows(found)) == 2 * len(MESSAGES)
        assert found["structuredContent"]["logGroups"] == [APP, WORKER]
        cut = call(url, QUERY, query="fields @message", limit=2)
        assert len(rows(cut)) == 2 and cut["structuredContent"]["limitReached"]
        assert "There may be more rows: `limit` (2) is reached" in text(cut)


def test_all_pages_of_allowed_groups_are_listed_and_no_other(aws: Account) -> None:
    with sample(NAME, env=aws.environment() | {"ALLOWED_LOG_GROUPS": f"/many/*,{APP},/interop/gone"}) as url:
        many = [f"/many/{number:03}" for number in range(120)]
        listed = call(url, LIST, limit=1000)
        assert groups(listed) == [APP, *many]
        assert listed["structuredContent"]["notFound"] == ["/interop/gone"]
        assert not listed["structuredContent"]["limitReached"]
        first = listed["structuredContent"]["logGroups"][1]
        assert first["retentionDays"] == 14 and first["storedBytes"] == 0 and first["created"].endswith("Z"), first
        cut = call(url, LIST, prefix="/many/", limit=70)
        assert groups(cut) == many[:70] and cut["structuredContent"]["limitReached"]
        assert groups(call(url, LIST, prefix="/many/11")) == many[110:]


def test_a_wrong_secret_key_is_told_from_a_missing_right(aws: Account) -> None:
    wrong = reader(aws, APP) | {"AWS_SECRET_ACCESS_KEY": "not-the-secret"}
    with sample(NAME, env=wrong) as url:
        result = call(url, QUERY, query="fields @message")
    assert result["isError"] and "check the server's AWS credentials" in text(result), text(result)


def test_a_group_that_does_not_exist_is_named(aws: Account) -> None:
    with sample(NAME, env=aws.environment() | {"ALLOWED_LOG_GROUPS": "/interop/gone"}) as url:
        result = call(url, QUERY, query="fields @message")
    assert result["isError"] and "`ResourceNotFoundException`" in text(result), text(result)
    assert "/interop/gone" in text(result) and "`list_log_groups`" in text(result), text(result)


# ---- where settings come from


def test_a_local_run_reads_env(aws: Account, tmp_path) -> None:
    settings = reader(aws, APP)
    (tmp_path / ".env").write_text("\n".join(f"{name}='{value}'" for name, value in settings.items()))
    with sample(NAME, cwd=str(tmp_path)) as url:
        assert rows(call(url, QUERY, query="fields @message"))


def test_the_environment_goes_before_env(aws: Account, tmp_path) -> None:
    (tmp_path / ".env").write_text(f"ALLOWED_LOG_GROUPS={PAYROLL}\nQUERY_TIMEOUT=30s\n")
    with sample(NAME, env=reader(aws, APP), cwd=str(tmp_path)) as url:
        assert rows(call(url, QUERY, query="fields @message", log_groups=[APP]))
        assert call(url, QUERY, query="fields @message", log_groups=[PAYROLL])["isError"]


@pytest.fixture(params=[ministack, moto], ids=["ministack", "moto"])
def keeper(request):
    """AWS that keeps settings, by either emulator, each judging signatures."""
    with request.param() as running:
        fill(running.client("logs"), APP)
        yield running


def keep(keeper: Account, kind: str, value: str) -> dict[str, str]:
    """Keeps this text; gives what names it."""
    if kind == "secret":
        kept = keeper.client("secretsmanager").create_secret(Name="interop/runtime", SecretString=value)
        return {"RUNTIME_CONFIG_SECRET_ID": kept["ARN"]}
    parameter = {"Name": "/interop/runtime", "Value": value, "Type": "SecureString"}
    keeper.client("ssm").put_parameter(**parameter)
    return {"RUNTIME_CONFIG_SSM_PARAMETER_NAME": "/interop/runtime"}


def runner(keeper: Account, *actions: str) -> dict[str, str]:
    """The environment of a role that may do this; from here on signatures count."""
    env = keeper.user(may(*actions))
    if isinstance(keeper, Moto):
        keeper.judge()
    return env


LOGS = ("logs:StartQuery", "logs:GetQueryResults")
READ = {"secret": "secretsmanager:GetSecretValue", "parameter": "ssm:GetParameter"}


@pytest.mark.parametrize("kind", ["secret", "parameter"])
def test_settings_are_read_from_aws(keeper: Account, kind: str) -> None:
    as_json = json.dumps({"ALLOWED_LOG_GROUPS": [APP, PAYROLL], "QUERY_TIMEOUT": "20s"})
    as_lines = f"# runtime\nALLOWED_LOG_GROUPS={APP},{PAYROLL}\nQUERY_TIMEOUT=20s\n"
    named = keep(keeper, kind, as_json if kind == "secret" else as_lines)
    with sample(NAME, env=runner(keeper, READ[kind], *LOGS) | named) as url:
        assert rows(call(url, QUERY, query="fields @message", log_groups=[APP]))
        refused = call(url, QUERY, query="fields @message", log_groups=[WORKER])
        assert f"it may read `{APP}`, `{PAYROLL}`" in text(refused), text(refused)


@pytest.mark.parametrize("kind", ["secret", "parameter"])
def test_a_source_that_may_not_be_read_ends_the_start(keeper: Account, kind: str) -> None:
    named = keep(keeper, kind, json.dumps({"ALLOWED_LOG_GROUPS": HIDDEN}))
    said = fails(runner(keeper, *LOGS) | named)
    assert f"the {kind} `{next(iter(named.values()))}`, which `{next(iter(named))}` names, cannot be read" in said, said
    assert "`AccessDenied" in said and f"allow the server `{READ[kind]}` on it" in said, said


@pytest.mark.parametrize("kind", ["secret", "parameter"])
def test_a_source_that_is_not_there_ends_the_start(keeper: Account, kind: str) -> None:
    variable = {"secret": "RUNTIME_CONFIG_SECRET_ID", "parameter": "RUNTIME_CONFIG_SSM_PARAMETER_NAME"}[kind]
    said = fails(runner(keeper, READ[kind]) | {variable: "interop/gone"})
    code = {"secret": "ResourceNotFoundException", "parameter": "ParameterNotFound"}[kind]
    assert f"the {kind} `interop/gone`, which `{variable}` names, cannot be read" in said, said
    assert f"`{code}`" in said and "check its name and the server's AWS region" in said, said


def test_the_environment_goes_before_the_secret(aws: Account) -> None:
    named = keep_secret(aws, reader(aws, WORKER))
    with sample(NAME, env=aws.environment() | {"RUNTIME_CONFIG_SECRET_ID": named, "ALLOWED_LOG_GROUPS": APP}) as url:
        assert rows(call(url, QUERY, query="fields @message", log_groups=[APP]))
        refused = call(url, QUERY, query="fields @message", log_groups=[WORKER])
        assert f"it may read `{APP}`" in text(refused), text(refused)


def test_the_secret_fills_in_what_the_environment_leaves_open(aws: Account) -> None:
    # The region of the secret itself is in its ARN; that of the queries is in the secret.
    named = keep_secret(aws, {"AWS_REGION": REGION, "ALLOWED_LOG_GROUPS": APP})
    env = {name: value for name, value in aws.environment().items() if name != "AWS_REGION"}
    with sample(NAME, env=env | {"RUNTIME_CONFIG_SECRET_ID": named}) as url:
        assert rows(call(url, QUERY, query="fields @message"))


def keep_secret(aws: Account, settings: dict[str, str]) -> str:
    """Keeps these settings; gives the ARN."""
    name = f"interop/{uuid.uuid4()}"
    return aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(settings))["ARN"]


def test_what_cannot_be_read_is_not_quoted(aws: Account) -> None:
    texts = {"lines": f"A=1\n{HIDDEN} and more\n", "json": '{"A": "' + HIDDEN, "value": json.dumps({"A": {"B": HIDDEN}})}
    for name, value in texts.items():
        aws.client("secretsmanager").create_secret(Name=f"interop/{name}", SecretString=value)
        said = fails(aws.environment() | {"RUNTIME_CONFIG_SECRET_ID": f"interop/{name}"})
        assert f"the secret `interop/{name}` holds no settings" in said and HIDDEN not in said, said


def test_no_credentials_for_a_named_source_says_so() -> None:
    said = fails({"AWS_REGION": REGION, "RUNTIME_CONFIG_SECRET_ID": "interop/any"})
    assert "there are no AWS credentials: set `AWS_ACCESS_KEY_ID`" in said, said


def fails(env: dict[str, str]) -> str:
    """What a server says that does not start."""
    with Process([causeway(), "sample", NAME, "--listen", "127.0.0.1:0"], env) as process:
        assert process.wait() == 1
        return process.wait_for(lambda: next((line for line in process.errors if "error" in line.lower()), None), "an error")


# ---- a second opinion


def test_moto_lists_pages_and_answers_a_query() -> None:
    with moto() as aws:
        client = aws.client("logs")
        fill(client, APP)
        for number in range(75):
            client.create_log_group(logGroupName=f"/many/{number:03}")
        env = aws.user(may(*LOGS, "logs:DescribeLogGroups")) | {"ALLOWED_LOG_GROUPS": f"{APP},/many/*"}
        aws.judge()
        with sample(NAME, env=env) as url:
            assert groups(call(url, LIST)) == [APP, *(f"/many/{number:03}" for number in range(75))]
            assert len(rows(call(url, QUERY, query="fields @message", log_groups=[APP]))) == len(MESSAGES)


# ---- what no emulator does


ROW = [{"field": "n", "value": "1"}, {"field": "@ptr", "value": "p"}]
STARTED, STOPPED = {"queryId": "q-1"}, {"success": True}
TOO_MANY = Refusal("LimitExceededException", "Account maximum query concurrency limit of [30] reached.")
THROTTLED = Refusal("ThrottlingException", "Rate exceeded")


def state(status: str, rows: list | None = None, scanned: float = 0) -> dict:
    """An answer of GetQueryResults."""
    statistics = {"recordsMatched": 1.0, "recordsScanned": float(scanned), "bytesScanned": 100.0}
    return {"status": status, "results": rows or [], "statistics": statistics}


def scripted(double: Logs, **more: str) -> dict[str, str]:
    return Account(double.url).environment() | {"ALLOWED_LOG_GROUPS": f"{APP},{WORKER}"} | more


@pytest.mark.parametrize("client", [CLIENTS[0], CLIENTS[2], CLIENTS[3], CLIENTS[6]], ids=str)
def test_progress_and_patience_through_the_gateway(client: Client) -> None:
    script = {
        "StartQuery": [TOO_MANY, STARTED],
        "GetQueryResults": [THROTTLED, state("Scheduled"), state("Running", scanned=500), state("Complete", [ROW], 900)],
    }
    with logs(script) as double, dev(env=scripted(double)) as gateway:
        asked = (f"{NAME}___{QUERY}", {"query": "fields n", "log_groups": [APP, WORKER]})
        answer = client.run(gateway.endpoint, gateway.token, asked).calls[0]
    assert not answer["isError"] and answer["structured"]["rows"] == [{"n": 1}], answer
    assert answer["structured"]["statistics"]["recordsScanned"] == 900
    said = [message for _, _, message in sorted(answer["progress"])]
    assert said == [
        "StartQuery is asked again: LimitExceededException",
        "GetQueryResults is asked again: ThrottlingException",
        "Scheduled: 1 records matched, 0 scanned",
        "Running: 1 records matched, 500 scanned",
    ], said
    assert double.operations() == ["StartQuery"] * 2 + ["GetQueryResults"] * 4
    assert double.requests[0][1]["logGroupNames"] == [APP, WORKER]


def test_a_query_past_its_deadline_is_stopped() -> None:
    script = {"StartQuery": [STARTED], "GetQueryResults": [state("Running")], "StopQuery": [STOPPED]}
    with logs(script) as double, sample(NAME, env=scripted(double, QUERY_TIMEOUT="400ms")) as url:
        result = call(url, QUERY, query="fields n")
        assert result["isError"] and "not complete after 400ms and is stopped" in text(result), text(result)
        assert double.requests[-1] == ("StopQuery", {"queryId": "q-1"})


@pytest.mark.parametrize("status", ["Failed", "Timeout", "Cancelled"])
def test_a_query_that_ends_otherwise_is_an_error(status: str) -> None:
    script = {"StartQuery": [STARTED], "GetQueryResults": [state("Unknown"), state(status)]}
    with logs(script) as double, sample(NAME, env=scripted(double)) as url:
        result = call(url, QUERY, query="fields n")
        assert result["isError"] and f"ended as `{status}`" in text(result), text(result)
        assert double.operations() == ["StartQuery", "GetQueryResults", "GetQueryResults"]


def test_a_malformed_query_says_where() -> None:
    where = {"location": {"startCharOffset": 9, "endCharOffset": 12}, "message": "unexpected symbol"}
    malformed = Refusal("MalformedQueryException", "unexpected symbol found", more={"queryCompileError": where})
    with logs({"StartQuery": [malformed]}) as double, sample(NAME, env=scripted(double)) as url:
        result = call(url, QUERY, query="fields n|foo")
        assert result["isError"] and "`MalformedQueryException`" in text(result), text(result)
        assert "at line 1, column 10: `foo`" in text(result), text(result)


def test_the_double_itself_is_judged_by_the_model() -> None:
    for script in [
        {"StartQuery": [{"queryID": "q"}]},
        {"StartQuery": [Refusal("QueryException", "no such error")]},
        {"GetQueryResults": [{"status": "Done"}]},
        {"GetQueryResults": [{"status": "Complete", "results": [{"field": "n"}]}]},
    ]:
        with pytest.raises(AssertionError), logs(script):
            pass
