"""terraform/self-hosted: AWS takes what it says, as botocore's models judge, and the gateway runs as its tasks are told to."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws.doubles.model import Model, complaints
from deploy.gateways import SECRET, VALUE, Surroundings, knows, open_session, status, surroundings, until_ready
from deploy.self_hosted import LEAST, MOST, SECRETS, applied, bare, task, values
from deploy.values import judged
from harness.command import run
from harness.contained import contained, port
from harness.gateway import post
from harness.terraform import Aws, Root, resources


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[tuple[Root, Aws]]:
    with bare(tmp_path) as deployed:
        yield deployed


@pytest.fixture
def root(deployed: tuple[Root, Aws]) -> Root:
    return deployed[0]


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as around:
        yield around


@pytest.mark.parametrize("given", [LEAST, MOST], ids=["least", "most"])
def test_aws_takes_the_values(root: Root, given: dict) -> None:
    root.variables(**given)
    found = judged(list(resources(root.plan())))
    assert found.complaints == [] and len(found.members) > 50


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("alarms.tf", '"LessThanThreshold"', '"LessThan"'),
        ("load_balancer.tf", 'target_type                   = "ip"', 'target_type                   = "address"'),
        ("scaling.tf", '"ALBRequestCountPerTarget"', '"RequestCountPerTarget"'),
        (
            "service.tf",
            'propagate_tags                     = "SERVICE"',
            'propagate_tags                     = "service"',
        ),
        ("shared_state.tf", 'unit    = "GB"', 'unit    = "GiB"'),
    ],
    ids=["alarm", "target", "scaling", "tags", "unit"],
)
def test_a_value_that_aws_would_not_take_is_found(root: Root, file: str, right: str, wrong: str) -> None:
    root.replace(file, right, wrong)
    root.variables(**MOST)
    assert any("is none of" in each for each in judged(list(resources(root.plan()))).complaints)


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


def test_a_task_that_ecs_would_refuse_is_found(root: Root) -> None:
    root.replace("service.tf", 'logDriver = "awslogs"', 'logDriver = "awslog"')
    root.replace(
        "service.tf", "stopTimeout            = local.stop_timeout", "stopTimeOut            = local.stop_timeout"
    )
    shape = Model("ecs").operation("RegisterTaskDefinition").input_shape
    found = complaints(shape, task(applied(root, **LEAST)), "task")
    assert len(found) == 2 and any("awslog" in each for each in found) and any("stopTimeOut" in each for each in found)


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
    assert {mapping["containerPort"] for mapping in container["portMappings"]} == {
        port(config, "gateway"),
        port(config, "admin"),
    }

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
    patterns = [
        re.compile(re.escape(value).replace(r"\*", ".*")) for value in rule["condition"][0]["path_pattern"][0]["values"]
    ]

    def passes(path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in patterns)

    env = {
        "CAUSEWAY_CONFIG_TOML": around.config,
        SECRET: VALUE,
        "CAUSEWAY_SESSION_KEY": "0123456789abcdef0123456789abcdef",
    }
    with contained(["serve"], env) as gateway:
        for path in ["/mcp", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]:
            assert passes(path) and status(gateway.endpoint, path) != 404
        # They are there, and not for everyone.
        for path in ["/readyz", "/healthz"]:
            assert not passes(path) and status(gateway.endpoint, path) != 404
    assert passes("/mcp/arithmetic") and passes("/login/callback")
