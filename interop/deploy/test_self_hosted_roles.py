"""terraform/self-hosted: whom it lets do what and reach whom, as its policies and rules say, as ministack's IAM judges and as checkov
does; and what is let in too far is found."""

import json
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import ClientError

from deploy.gateways import SECRET, VALUE
from deploy.self_hosted import ACCOUNT, CALLED, LEAST, MOST, PARAMETERS, SECRETS, applied, bare, values
from harness.account import Account
from harness.ministack import ministack
from harness.terraform import Aws, Root, checkov

#: Permissions that are no operations of a service's API, so that its model does not have them.
ONLY_PERMISSIONS = {
    "bedrock-agentcore:InvokeGateway",
    "elasticache:Connect",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
}


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[tuple[Root, Aws]]:
    with bare(tmp_path) as deployed:
        yield deployed


@pytest.fixture
def root(deployed: tuple[Root, Aws]) -> Root:
    return deployed[0]


def excess(made: list[dict]) -> list[str]:
    """What policies and trust allow beyond what they should."""
    found = []
    for policy in values(made, "aws_iam_role_policy"):
        for statement in json.loads(policy["policy"])["Statement"]:
            found += [f"{action}: any action" for action in statement["Action"] if "*" in action]
            found += [f"{action}: no such action" for action in statement["Action"] if not exists(action)]
            # AWS knows no resource of this one.
            if statement["Action"] != ["ecr:GetAuthorizationToken"]:
                found += [f"{statement['Sid']}: {arn}" for arn in statement["Resource"] if not bounded(arn)]
    for role in values(made, "aws_iam_role"):
        for statement in json.loads(role["assume_role_policy"])["Statement"]:
            if "aws:SourceAccount" not in statement["Condition"]["StringEquals"] or statement["Principal"] != {
                "Service": "ecs-tasks.amazonaws.com"
            }:
                found.append(f"{role['description']}: trusts others")
    return found


def exists(action: str) -> bool:
    service, _, operation = action.partition(":")
    if action in ONLY_PERMISSIONS:
        return True
    known = botocore.session.get_session()
    return service in known.get_available_services() and operation in known.get_service_model(service).operation_names


def bounded(arn: str) -> bool:
    """An ARN whose resource is named; what follows its name, a stream of a log group or an endpoint of a Runtime, may be any."""
    resource = arn.split(":", 5)[5] if arn.count(":") >= 5 else "*"
    return "*" not in resource.removesuffix(":*").removesuffix("/runtime-endpoint/*") and resource != "*"


def test_its_roles_may_do_what_the_variables_name(root: Root) -> None:
    made = applied(root, **MOST)
    assert excess(made) == []
    allowed = {}
    for policy in values(made, "aws_iam_role_policy"):
        for statement in json.loads(policy["policy"])["Statement"]:
            allowed.setdefault(policy["name"], {}).update(dict.fromkeys(statement["Action"], statement["Resource"]))
    [cache], [user] = values(made, "aws_elasticache_serverless_cache"), values(made, "aws_elasticache_user")
    runtime, function = CALLED["runtime_arns"][0], CALLED["function_arns"]
    assert allowed["call"] == {
        "secretsmanager:GetSecretValue": [f"{SECRETS}:stock-AbCdEf"],
        "ssm:GetParameter": [f"{PARAMETERS}/parcels"],
        "kms:Decrypt": CALLED["secret_kms_key_arns"],
        "bedrock-agentcore:InvokeAgentRuntime": [runtime, f"{runtime}/runtime-endpoint/*"],
        "bedrock-agentcore:InvokeGateway": CALLED["gateway_arns"],
        "lambda:InvokeFunctionUrl": function,
        "lambda:InvokeFunction": function,
        "sts:AssumeRole": CALLED["assumable_role_arns"],
        "elasticache:Connect": [cache["arn"], user["arn"]],
    }
    [key] = [secret["arn"] for secret in values(made, "aws_secretsmanager_secret")]
    start = allowed["start"]
    assert start["secretsmanager:GetSecretValue"] == [key, f"{SECRETS}:calculator-AbCdEf"]
    assert start["ssm:GetParameters"] == [f"{PARAMETERS}/weather"]
    assert start["ecr:BatchGetImage"] == [f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/causeway"]
    assert not any(
        action.startswith("logs:") and action not in ("logs:CreateLogStream", "logs:PutLogEvents") for action in start
    )


def test_secrets_are_read_as_far_as_they_are_named_and_no_further(root: Root) -> None:
    """As IAM of ministack judges the policies of both roles."""
    with ministack() as account:
        admin = account.client("secretsmanager")
        arns = {
            name: admin.create_secret(Name=name, SecretString=VALUE)["ARN"] for name in ["named", "variable", "other"]
        }
        made = applied(root, **LEAST | {"readable_secret_arns": [arns["named"]], "secrets": {SECRET: arns["variable"]}})
        policies = {
            policy["name"]: json.loads(policy["policy"])["Statement"] for policy in values(made, "aws_iam_role_policy")
        }
        assert readable(account, policies["call"], arns) == {"named"}
        assert readable(account, policies["start"], arns) == {"variable"}


def readable(account: Account, statements: list[dict], arns: dict[str, str]) -> set[str]:
    """Which secrets somebody reads who may do this."""
    user = account.user(*statements)
    client = account.client("secretsmanager", user["AWS_ACCESS_KEY_ID"], user["AWS_SECRET_ACCESS_KEY"])
    found = set()
    for name, arn in arns.items():
        try:
            assert client.get_secret_value(SecretId=arn)["SecretString"] == VALUE
            found.add(name)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
    return found


def test_a_gateway_that_calls_nothing_on_aws_may_do_nothing_there(root: Root) -> None:
    names = [policy["name"] for policy in values(applied(root, **LEAST), "aws_iam_role_policy")]
    assert names == ["start"]


def reached(made: list[dict]) -> set[tuple[str, str, int]]:
    """Who reaches which group at which port: ranges of addresses, or other groups by their descriptions."""
    named = {group["id"]: group["description"] for group in values(made, "aws_security_group")}
    rules = values(made, "aws_vpc_security_group_ingress_rule")
    return {
        (
            rule["cidr_ipv4"] or named.get(rule["referenced_security_group_id"], "given"),
            named[rule["security_group_id"]],
            at,
        )
        for rule in rules
        for at in {rule["from_port"], rule["to_port"]}
    }


def test_callers_reach_the_load_balancer_and_nothing_else(root: Root) -> None:
    made = applied(root, **MOST | {"egress": "nat"})
    assert reached(made) == {
        ("0.0.0.0/0", "Callers of the gateway", 443),
        ("0.0.0.0/0", "Callers of the gateway", 80),
        ("Callers of the gateway", "The gateway", 8080),
        ("The gateway", "The gateway", 8080),
        ("given", "The gateway", 8081),
        ("The gateway", "What replicas of the gateway share", 6379),
        ("The gateway", "What replicas of the gateway share", 6380),
    }
    [service] = values(made, "aws_ecs_service")
    [network] = service["network_configuration"]
    private = {subnet["id"] for subnet in values(made, "aws_subnet") if "-private-" in subnet["tags"]["Name"]}
    assert set(network["subnets"]) == private and network["assign_public_ip"] is False
    ways_out = [route["route_table_id"] for route in values(made, "aws_route") if route["gateway_id"]]
    assert len(ways_out) == 1
    listeners = {listener["port"]: listener for listener in values(made, "aws_lb_listener")}
    assert listeners[80]["default_action"][0]["redirect"][0]["protocol"] == "HTTPS"
    assert listeners[443]["default_action"][0]["fixed_response"][0]["status_code"] == "404"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('["bedrock-agentcore:InvokeAgentRuntime"]', '["bedrock-agentcore:*"]', "any action"),
        ('["bedrock-agentcore:InvokeAgentRuntime"]', '["bedrock-agentcore:InvokeRuntime"]', "no such action"),
        ("Resource = var.gateway_arns", 'Resource = ["*"]', "Gateways: *"),
        ('"aws:SourceAccount" =', '"aws:SourceAcount" =', "trusts others"),
    ],
    ids=["any action", "no action", "any resource", "any account"],
)
def test_a_policy_that_allows_more_is_found(root: Root, right: str, wrong: str, said: str) -> None:
    root.replace("iam.tf", right, wrong)
    assert any(said in found for found in excess(applied(root, **MOST)))


def test_checkov_has_nothing_to_say(root: Root) -> None:
    # What is switched off is not judged.
    root.variables(**MOST)
    judged = checkov("terraform", "--directory", root.path)
    assert judged.status == 0, judged.out


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("self-hosted/load_balancer.tf", '"ELBSecurityPolicy-TLS13-1-2-2021-06"', '"ELBSecurityPolicy-2015-05"'),
        ("self-hosted/load_balancer.tf", "drop_invalid_header_fields = true", "drop_invalid_header_fields = false"),
        ("self-hosted/service.tf", "assign_public_ip = false", "assign_public_ip = true"),
        ("self-hosted/main.tf", 'image_tag_mutability = "IMMUTABLE"', 'image_tag_mutability = "MUTABLE"'),
    ],
    ids=["old TLS", "headers", "public address", "mutable tags"],
)
def test_checkov_finds_a_mistake(root: Root, file: str, right: str, wrong: str) -> None:
    root.variables(**MOST)
    root.replace(f"../{file}", right, wrong)
    judged = checkov("terraform", "--directory", root.path)
    assert judged.status != 0, judged.out
