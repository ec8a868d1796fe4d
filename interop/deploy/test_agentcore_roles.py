"""The roles of terraform/agentcore: what each may do, read from what was applied; and the one list of log groups with a real server
before ministack, which judges the role's policy."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.agentcore import LOG_GROUPS, WHOLE, Deployment, deployment
from deploy.policies import actions, allows, statements

from harness.account import REGION
from harness.gateway import post, sample
from harness.ministack import ministack

#: Actions that IAM knows no resource for, or none that can be named before it is there.
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "logs:GetQueryResults",
    "logs:StopQuery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
LOGS = f"arn:aws:logs:{REGION}:123456789012:log-group"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("roles")) as one:
        one.apply()
        yield one


def policy(deployed: Deployment, name: str, server: str = "") -> str:
    """The document of a role's policy. Servers' policies have one name; what tells them apart is in them."""
    found = [
        change["config"]["policy"]
        for change in deployed.provider.changes()
        if change["type"] == "aws_iam_role_policy" and change["config"]["name"] == name and server in change["config"]["policy"]
    ]
    assert len(found) == 1, found
    return found[0]


def policies(deployed: Deployment) -> list[str]:
    kinds = ["aws_iam_role_policy"]
    return [change["config"]["policy"] for change in deployed.provider.changes() if change["type"] in kinds]


def test_every_action_is_named_and_knows_what_it_is_done_to(deployed: Deployment) -> None:
    found = policies(deployed)
    assert len(found) == len(["the gateway's", "a build's", *WHOLE["servers"]])
    for document in found:
        assert not [action for action in actions(document) if "*" in action]
        for statement in statements(document):
            everything = [resource for resource in statement["Resource"] if resource == "*"]
            assert not everything or set(statement["Action"]) <= WITHOUT_RESOURCE, statement


def test_the_gateway_cannot_touch_logs(deployed: Deployment) -> None:
    document = policy(deployed, "targets")
    assert not [action for action in actions(document) if action.startswith("logs:")]
    assert not allows(document, "logs:StartQuery", f"{LOGS}:/interop/app")


def test_the_gateway_calls_the_runtime_that_it_signs_for_and_no_other(deployed: Deployment) -> None:
    document = policy(deployed, "targets")
    of = {name: it["arn"] for name, it in deployed.root.outputs()["runtimes"].items()}
    call = "bedrock-agentcore:InvokeAgentRuntime"
    assert allows(document, call, of["hello"]) and allows(document, call, f"{of['hello']}/runtime-endpoint/DEFAULT")
    assert not allows(document, call, of["my-calculator"])


def test_a_role_is_taken_by_agentcore_or_codebuild_for_this_account_alone(deployed: Deployment) -> None:
    roles = [change["config"] for change in deployed.provider.changes() if change["type"] == "aws_iam_role"]
    assert {role["name"] for role in roles} == {
        "team-tools-role",
        "my-calculator-build-role",
        "my-calculator-execution-role",
        "hello-execution-role",
        "cloudwatch-insights-execution-role",
    }
    for role in roles:
        [trust] = json.loads(role["assume_role_policy"])["Statement"]
        assert trust["Principal"]["Service"] in ("bedrock-agentcore.amazonaws.com", "codebuild.amazonaws.com")
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
        [source] = [of["aws:SourceArn"] for kind, of in trust["Condition"].items() if kind.startswith("Arn")]
        assert source.split(":")[4] == "123456789012"


def test_a_server_may_read_its_own_settings_and_nobody_elses(deployed: Deployment) -> None:
    secrets = {name: it["runtime_config_secret_arn"] for name, it in deployed.root.outputs()["runtimes"].items()}
    assert secrets["my-calculator"] is None
    document = policy(deployed, "server", "runtimes/hello-")
    assert allows(document, "secretsmanager:GetSecretValue", secrets["hello"])
    assert not allows(document, "secretsmanager:GetSecretValue", secrets["cloudwatch-insights"])


def test_only_who_has_log_groups_may_query(deployed: Deployment) -> None:
    for name in ["hello", "my_calculator"]:
        assert "logs:StartQuery" not in actions(policy(deployed, "server", f"runtimes/{name}-"))
    document = policy(deployed, "server", "runtimes/cloudwatch_insights-")
    for group in ["/interop/app", "/ecs/one", "/ecs/one/two"]:
        assert allows(document, "logs:StartQuery", f"{LOGS}:{group}:log-stream:")
    for group in ["/interop/app-internal", "/interop", "/ecs", "/payroll"]:
        assert not allows(document, "logs:StartQuery", f"{LOGS}:{group}:log-stream:"), group


def test_the_setting_is_the_list_of_the_policy(deployed: Deployment) -> None:
    settings = settings_of(deployed)
    assert settings == {"ALLOWED_LOG_GROUPS": ",".join(LOG_GROUPS), "QUERY_TIMEOUT": "30s"}


def settings_of(deployed: Deployment) -> dict:
    """What the server finds in its secret."""
    versions = [change["config"] for change in deployed.provider.changes() if change["type"] == "aws_secretsmanager_secret_version"]
    [settings] = [json.loads(it["secret_string_wo"]) for it in versions if "ALLOWED_LOG_GROUPS" in it["secret_string_wo"]]
    return settings


def test_both_guards_stand_before_a_real_server(deployed: Deployment) -> None:
    of_role = statements(policy(deployed, "server", "runtimes/cloudwatch_insights-"))
    settings = settings_of(deployed)
    with ministack() as aws:
        logs, secrets = aws.client("logs"), aws.client("secretsmanager")
        for group in ["/interop/app", "/interop/app-internal", "/ecs/one"]:
            logs.create_log_group(logGroupName=group)
        made = secrets.create_secret(Name="cloudwatch-insights-runtime-config", SecretString=json.dumps(settings))
        # Here the secret has another ARN than with the stand-in; the account and the region are the same, or the policy is none.
        arn = next(it["Resource"][0] for it in of_role if it["Sid"] == "ReadItsSettings")
        of_role = json.loads(json.dumps(of_role).replace(arn, made["ARN"]).replace(":123456789012:", f":{made['ARN'].split(':')[4]}:"))
        server = aws.user(*of_role) | {"RUNTIME_CONFIG_SECRET_ID": made["ARN"]}
        with sample("cloudwatch-insights", env=server) as url:
            assert query(url, "/interop/app")["isError"] is False
            assert query(url, "/ecs/one")["isError"] is False
            assert "may not read `/interop/app-internal`" in query(url, "/interop/app-internal")["content"][0]["text"]
        # A server whose own list is longer is stopped by the role.
        longer = {name: value for name, value in server.items() if name != "RUNTIME_CONFIG_SECRET_ID"}
        with sample("cloudwatch-insights", env=longer | {"ALLOWED_LOG_GROUPS": "/*"}) as url:
            assert query(url, "/interop/app")["isError"] is False
            assert "AccessDeniedException" in query(url, "/interop/app-internal")["content"][0]["text"]


def query(url: str, group: str) -> dict:
    """The result of one query of one log group."""
    arguments = {"query": "fields @message", "log_groups": [group]}
    return post(url, None, "tools/call", name="query_cloudwatch_insights", arguments=arguments).raise_for_status().json()["result"]


@pytest.mark.parametrize(
    ("by", "wrong"),
    [
        ('["logs:*"]', test_every_action_is_named_and_knows_what_it_is_done_to),
        ('["secretsmanager:GetSecretValue", "logs:StartQuery"]', test_the_gateway_cannot_touch_logs),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, by: str, wrong) -> None:
    with deployment(tmp_path) as deployed:
        deployed.root.replace("../modules/gateway/main.tf", '["secretsmanager:GetSecretValue"]', by)
        deployed.apply()
        with pytest.raises(AssertionError):
            wrong(deployed)
