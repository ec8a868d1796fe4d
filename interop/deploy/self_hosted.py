"""A deployment of terraform/self-hosted by real Terraform, before the stand-in for AWS's provider: the least and the most that is
asked of it. Judges nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.gateways import SECRET
from harness.terraform import REPOSITORY, Aws, Root, aws, resources

ROOTS = [REPOSITORY / "terraform/self-hosted", REPOSITORY / "terraform/modules"]
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


@contextmanager
def bare(directory: Path) -> Iterator[tuple[Root, Aws]]:
    """A copy of the root without variables, and the stand-in that it is applied to."""
    with aws(directory / "aws", *ROOTS) as provider:
        yield Root("self-hosted", directory / "terraform", provider).init(), provider


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
