"""terraform/self-hosted: what it makes, what it refuses, whom it lets do what, and that the gateway runs as its tasks are told to."""

import base64
import json
import re
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import ClientError

from aws.doubles.model import Model, complaints
from deploy.gateways import SECRET, VALUE, Surroundings, knows, open_session, status, surroundings, until_ready
from deploy.values import judged
from harness.account import Account
from harness.command import run
from harness.contained import contained, port
from harness.gateway import post
from harness.ministack import ministack
from harness.terraform import Aws, Root, aws, checkov, resources

ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/causeway:1.0.0"
DOMAIN = {"domain_name": "gateway.example.com", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}
CONFIG = """\
[gateway]
listen = "0.0.0.0:8080"
public_url = "https://gateway.example.com/mcp"

[sessions]
key_env = ["CAUSEWAY_SESSION_KEY", "CAUSEWAY_SESSION_KEY_BEFORE"]

[admin]
listen = "0.0.0.0:8081"
"""
LEAST = {"image": IMAGE, "config_toml": CONFIG, **DOMAIN}

SECRETS = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret"
PARAMETERS = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter"
AGENTCORE = f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}"
#: What the gateway's role is let do, and nothing else.
CALLED = {
    "readable_secret_arns": [f"{SECRETS}:stock-AbCdEf", f"{PARAMETERS}/parcels"],
    "secret_kms_key_arns": [f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"],
    "runtime_arns": [f"{AGENTCORE}:runtime/orders-a1b2c3d4e5"],
    "gateway_arns": [f"{AGENTCORE}:gateway/tools-a1b2c3d4e5"],
    "function_arns": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:reports"],
    "assumable_role_arns": [f"arn:aws:iam::{ACCOUNT}:role/causeway"],
}
MOST = {
    **LEAST,
    **CALLED,
    "create_repository": True,
    "egress": "endpoints",
    "zone_count": 3,
    "shared_state": True,
    "container_insights": True,
    "session_key_version": 2,
    "secrets": {SECRET: f"{SECRETS}:calculator-AbCdEf:client_secret::", "WEATHER_API_KEY": f"{PARAMETERS}/weather"},
    "environment": {"RUST_LOG": "info"},
    "kms_key_arn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/66666666-7777-8888-9999-000000000000",
    "alarm_topic_arns": [f"arn:aws:sns:us-east-1:{ACCOUNT}:operators"],
    "admin_security_group_ids": ["sg-0123456789abcdef0"],
    "access_logs_bucket": "logs-of-ours",
    "web_acl_arn": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:regional/webacl/ours/1",
    "deletion_protection": True,
}
#: Permissions that are no operations of a service's API, so that its model does not have them.
ONLY_PERMISSIONS = {
    "bedrock-agentcore:InvokeGateway",
    "elasticache:Connect",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory) -> Iterator[Aws]:
    with aws(tmp_path_factory.mktemp("aws")) as provider:
        yield provider


@pytest.fixture
def root(tmp_path: Path, provider: Aws) -> Root:
    return Root("self-hosted", tmp_path / "terraform", provider).init()


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as around:
        yield around


def applied(root: Root, **variables) -> list[dict]:
    root.variables(**variables)
    return list(resources(root.apply()))


def values(made: list[dict], kind: str) -> list[dict]:
    return [resource["values"] for resource in made if resource["type"] == kind]


def task(made: list[dict]) -> dict:
    """The task definition, as ECS is told it (RegisterTaskDefinition)."""
    [definition] = values(made, "aws_ecs_task_definition")
    [platform] = definition["runtime_platform"]
    return {
        "family": definition["family"],
        "containerDefinitions": json.loads(definition["container_definitions"]),
        "cpu": definition["cpu"],
        "memory": definition["memory"],
        "networkMode": definition["network_mode"],
        "requiresCompatibilities": definition["requires_compatibilities"],
        "executionRoleArn": definition["execution_role_arn"],
        "taskRoleArn": definition["task_role_arn"],
        "runtimePlatform": {
            "operatingSystemFamily": platform["operating_system_family"],
            "cpuArchitecture": platform["cpu_architecture"],
        },
    }


# What there is.


@pytest.mark.parametrize("given", [LEAST, MOST], ids=["least", "most"])
def test_it_is_made_once_and_taken_down_whole(root: Root, given: dict) -> None:
    root.run("validate", "-no-color").ok()
    applied(root, **given)
    again = root.run("plan", "-detailed-exitcode", "-no-color")
    assert again.status == 0, again.out
    root.run("destroy", "-auto-approve", "-no-color").ok()
    assert json.loads((root.path / "terraform.tfstate").read_text())["resources"] == []


def test_its_files_are_formatted_and_its_own_tests_pass(root: Root) -> None:
    unformatted = root.run("fmt", "-check", "-recursive", "..")
    own = [line for line in unformatted.out.splitlines() if "self-hosted" in line or "modules" in line]
    assert own == []
    tested = root.run("test", "-no-color")
    assert tested.status == 0 and ", 0 failed" in tested.out, tested.out + tested.err


def test_every_variable_and_output_is_explained(root: Root) -> None:
    root.variables(**LEAST)
    parts = root.plan()["configuration"]["root_module"]
    for kind in ["variables", "outputs"]:
        assert [name for name, part in parts[kind].items() if not part.get("description")] == []
    for file in root.path.glob("variables*.tf"):
        said = re.findall(r'error_message = "(.*)"$', file.read_text(), re.M)
        assert len(said) == file.read_text().count("validation {") > 0
        assert [message for message in said if "write" not in message and "take out" not in message] == []


def test_what_its_readme_and_its_example_say_works(root: Root) -> None:
    readme = (root.path / "README.md").read_text()
    [config] = re.findall(r"```toml\n(.*?)```", readme, re.S)
    example = (root.path / "terraform.tfvars.example").read_text()
    (root.path / "terraform.tfvars").write_text(example)
    planned = root.run("plan", "-no-color", env={"TF_VAR_config_toml": config})
    assert planned.status == 0 and "to add, 0 to change, 0 to destroy" in planned.out, planned.text
    assert set(re.findall(r"^\| `(\w+\.tf)`", readme, re.M)) <= {path.name for path in root.path.glob("*.tf")}


def test_mistakes_are_said_before_anything_is_made(root: Root, provider: Aws) -> None:
    root.variables(**LEAST | {"config_toml": CONFIG.replace("0.0.0.0:8080", "127.0.0.1:8080"), "secrets": {SECRET: VALUE}, "cpu": 700})
    before = len(provider.changes())
    refused = root.run("apply", "-auto-approve", "-no-color")
    assert refused.status == 1 and len(provider.changes()) == before
    assert 'write `listen = "0.0.0.0:8080"` below [gateway]' in refused.text
    assert "put the value into Secrets Manager and write its ARN" in refused.text
    assert "write 256, 512, 1024" in refused.text


def test_commands_of_its_outputs_are_commands(root: Root) -> None:
    applied(root, **LEAST)
    outputs = root.outputs()
    ours = [command.split()[1:] for command in outputs["commands"].values() if command and command.startswith("causeway ")]
    assert len(ours) == 2 and outputs["url"] in ours[0]
    for command in ours:
        run(*command, "--help").ok()
    # Without the option that writes a file, to see that the URL is understood.
    shown = run(*[word for word in ours[1] if word != "--write"], env={"HOME": str(root.path)}).ok()
    assert outputs["url"] in shown.out


# Who may do what.


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
            if "aws:SourceAccount" not in statement["Condition"]["StringEquals"] or statement["Principal"] != {"Service": "ecs-tasks.amazonaws.com"}:
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
    assert not any(action.startswith("logs:") and action not in ("logs:CreateLogStream", "logs:PutLogEvents") for action in start)


def test_secrets_are_read_as_far_as_they_are_named_and_no_further(root: Root) -> None:
    """As IAM of ministack judges the policies of both roles."""
    with ministack() as account:
        admin = account.client("secretsmanager")
        arns = {name: admin.create_secret(Name=name, SecretString=VALUE)["ARN"] for name in ["named", "variable", "other"]}
        made = applied(root, **LEAST | {"readable_secret_arns": [arns["named"]], "secrets": {SECRET: arns["variable"]}})
        policies = {policy["name"]: json.loads(policy["policy"])["Statement"] for policy in values(made, "aws_iam_role_policy")}
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
        (rule["cidr_ipv4"] or named.get(rule["referenced_security_group_id"], "given"), named[rule["security_group_id"]], at)
        for rule in rules
        for at in {rule["from_port"], rule["to_port"]}
    }


def test_callers_reach_the_load_balancer_and_nothing_else(root: Root) -> None:
    made = applied(root, **MOST | {"egress": "nat"})
    assert reached(made) == {
        ("0.0.0.0/0", "Callers of the gateway", 443),
        ("0.0.0.0/0", "Callers of the gateway", 80),
        ("Callers of the gateway", "The gateway", 8080),
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


# The session key.


def keys(provider: Aws, since: int) -> list[str]:
    """Session keys that AWS was told, since so many changes."""
    changes = provider.changes()[since:]
    return [change["config"]["secret_string_wo"] for change in changes if change["type"] == "aws_secretsmanager_secret_version"]


def kept(root: Root) -> str:
    """All that Terraform keeps: the state, and the plan, which is an archive."""
    plan = zipfile.ZipFile(root.path / "plan")
    texts = [plan.read(name).decode(errors="replace") for name in plan.namelist()]
    return "".join([(root.path / "terraform.tfstate").read_text(), *texts])


def test_the_session_key_is_kept_nowhere_and_changes_when_told(root: Root, provider: Aws) -> None:
    since = len(provider.changes())
    root.variables(**LEAST)
    root.plan()
    root.apply()
    [key] = keys(provider, since)
    assert len(base64.b64decode(key, validate=True)) == 32 and key not in kept(root)
    root.plan()
    root.apply()
    assert keys(provider, since) == [key]

    since = len(provider.changes())
    [container] = task(applied(root, **LEAST | {"session_key_version": 2}))["containerDefinitions"]
    [new] = keys(provider, since)
    assert new != key and new not in kept(root)
    before = {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}["CAUSEWAY_SESSION_KEY_BEFORE"]
    assert before.endswith("::AWSPREVIOUS:")


# That it runs.


@pytest.mark.parametrize("given", [LEAST, MOST], ids=["least", "most"])
def test_aws_takes_the_values(root: Root, given: dict) -> None:
    root.variables(**given)
    found = judged(list(resources(root.plan())))
    assert found.complaints == [] and len(found.members) > 50


@pytest.mark.parametrize("given", [LEAST, MOST], ids=["least", "most"])
def test_ecs_takes_the_task(root: Root, given: dict) -> None:
    """As botocore's model of it says: members, types, enumerations."""
    made = applied(root, **given)
    shape = Model("ecs").operation("RegisterTaskDefinition").input_shape
    assert complaints(shape, task(made), "task") == []
    for each in [*task(made)["containerDefinitions"][0]["secrets"]]:
        assert each["valueFrom"].startswith("arn:aws:")
    # The limit of a task definition.
    assert len(json.dumps(task(made))) < 64 * 1024


def test_replicas_run_as_tasks_are_told(root: Root, around: Surroundings) -> None:
    made = applied(root, **LEAST | {"config_toml": around.config, "secrets": {SECRET: f"{SECRETS}:calculator-AbCdEf"}})
    [container] = task(made)["containerDefinitions"]
    # What Secrets Manager would give.
    stored = {SECRET: VALUE, "CAUSEWAY_SESSION_KEY": "0123456789abcdef0123456789abcdef"}
    env = {each["name"]: each["value"] for each in container["environment"]}
    env |= {each["name"]: stored[each["name"]] for each in container["secrets"]}
    config = env["CAUSEWAY_CONFIG_TOML"]
    [group] = values(made, "aws_lb_target_group")
    [balanced] = values(made, "aws_ecs_service")[0]["load_balancer"]
    assert balanced["container_port"] == group["port"] == port(config, "gateway")
    assert {mapping["containerPort"] for mapping in container["portMappings"]} == {port(config, "gateway"), port(config, "admin")}

    token = around.token()
    with contained(container["command"], env) as one, contained(container["command"], env) as other:
        for replica in one, other:
            until_ready(replica, group["health_check"][0]["path"])
            [tool, *_] = post(replica.endpoint, token).json()["result"]["tools"]
            assert tool["name"].startswith("calculator___")
            assert post(replica.endpoint).status_code == 401
            kind, program, *arguments = container["healthCheck"]["command"]
            assert (kind, program) == ("CMD", "/causeway")
            run(*arguments, replica.endpoint.replace("/mcp", "/healthz")).ok()
        session = open_session(one, token)
        assert knows(other, token, session) and not knows(other, token, session[:-4] + "AAAA")
        one.process.signal(signal.SIGTERM)
        assert one.process.wait(container["stopTimeout"]) == 0


def test_the_load_balancer_lets_through_what_clients_need(root: Root, around: Surroundings) -> None:
    made = applied(root, **LEAST)
    [rule] = values(made, "aws_lb_listener_rule")
    patterns = [re.compile(re.escape(value).replace(r"\*", ".*")) for value in rule["condition"][0]["path_pattern"][0]["values"]]

    def passes(path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in patterns)

    env = {"CAUSEWAY_CONFIG_TOML": around.config, SECRET: VALUE, "CAUSEWAY_SESSION_KEY": "0123456789abcdef0123456789abcdef"}
    with contained(["serve"], env) as gateway:
        for path in ["/mcp", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]:
            assert passes(path) and status(gateway.endpoint, path) != 404
        # They are there, and not for everyone.
        for path in ["/readyz", "/healthz"]:
            assert not passes(path) and status(gateway.endpoint, path) != 404
    assert passes("/mcp/arithmetic") and passes("/login/callback")


# Security, and that these checks find something.


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


@pytest.mark.parametrize(
    ("file", "right", "wrong", "said"),
    [
        ("service.tf", "task_role_arn            =", "task_rol_arn             =", 'Did you mean "task_role_arn"?'),
        ("service.tf", "aws_lb_target_group.gateway.arn", "aws_lb_target_group.gatewy.arn", "has not been declared"),
        ("alarms.tf", "threshold           = each.value.threshold", "threshold           = true", "number required"),
        ("main.tf", "  key_version = var.session_key_version\n", "", 'The argument "key_version" is required'),
    ],
    ids=["misspelt", "undeclared", "type", "missing"],
)
def test_terraform_finds_a_mistake(root: Root, file: str, right: str, wrong: str, said: str) -> None:
    root.replace(file, right, wrong)
    found = root.run("validate", "-no-color")
    assert found.status != 0 and said in found.text, found.text


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


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("alarms.tf", '"LessThanThreshold"', '"LessThan"'),
        ("load_balancer.tf", 'target_type                   = "ip"', 'target_type                   = "address"'),
        ("scaling.tf", '"ALBRequestCountPerTarget"', '"RequestCountPerTarget"'),
        ("service.tf", 'propagate_tags                     = "SERVICE"', 'propagate_tags                     = "service"'),
        ("shared_state.tf", 'unit    = "GB"', 'unit    = "GiB"'),
    ],
    ids=["alarm", "target", "scaling", "tags", "unit"],
)
def test_a_value_that_aws_would_not_take_is_found(root: Root, file: str, right: str, wrong: str) -> None:
    root.replace(file, right, wrong)
    root.variables(**MOST)
    assert any("is none of" in each for each in judged(list(resources(root.plan()))).complaints)


def test_a_task_that_ecs_would_refuse_is_found(root: Root) -> None:
    root.replace("service.tf", 'logDriver = "awslogs"', 'logDriver = "awslog"')
    root.replace("service.tf", "stopTimeout            = local.stop_timeout", "stopTimeOut            = local.stop_timeout")
    shape = Model("ecs").operation("RegisterTaskDefinition").input_shape
    found = complaints(shape, task(applied(root, **LEAST)), "task")
    assert len(found) == 2 and any("awslog" in each for each in found) and any("stopTimeOut" in each for each in found)


def test_a_key_that_a_state_would_keep_is_found(root: Root, provider: Aws) -> None:
    root.replace("../modules/session-key/main.tf", "secret_string_wo         =", "secret_string            =")
    root.variables(**LEAST)
    root.plan()
    root.apply()
    made = json.loads((root.path / "terraform.tfstate").read_text())["resources"]
    [version] = [each["instances"][0]["attributes"] for each in made if each["type"] == "aws_secretsmanager_secret_version"]
    assert version["secret_string"] in kept(root)
