"""Values that AWS would not take, which neither Terraform nor the stand-in for its provider knows: enumerations, patterns, lengths and
bounds, by botocore's model of the operation that a resource is made with. Only members that have the same name in both are judged;
`judged` says how many those are."""

import functools
import re
from collections.abc import Iterator

import botocore.session
from botocore.model import Shape

from aws.doubles.model import walk_constraints

#: With which operation of which service the AWS provider makes a resource of a type.
OPERATIONS = {
    "aws_acm_certificate": ("acm", "RequestCertificate"),
    "aws_appautoscaling_policy": ("application-autoscaling", "PutScalingPolicy"),
    "aws_appautoscaling_target": ("application-autoscaling", "RegisterScalableTarget"),
    "aws_cloudwatch_log_group": ("logs", "CreateLogGroup"),
    "aws_cloudwatch_metric_alarm": ("cloudwatch", "PutMetricAlarm"),
    "aws_ecr_repository": ("ecr", "CreateRepository"),
    "aws_ecs_cluster": ("ecs", "CreateCluster"),
    "aws_ecs_service": ("ecs", "CreateService"),
    "aws_ecs_task_definition": ("ecs", "RegisterTaskDefinition"),
    "aws_eip": ("ec2", "AllocateAddress"),
    "aws_elasticache_serverless_cache": ("elasticache", "CreateServerlessCache"),
    "aws_elasticache_user": ("elasticache", "CreateUser"),
    "aws_elasticache_user_group": ("elasticache", "CreateUserGroup"),
    "aws_iam_role": ("iam", "CreateRole"),
    "aws_iam_role_policy": ("iam", "PutRolePolicy"),
    "aws_lb": ("elbv2", "CreateLoadBalancer"),
    "aws_lb_listener": ("elbv2", "CreateListener"),
    "aws_lb_listener_rule": ("elbv2", "CreateRule"),
    "aws_lb_target_group": ("elbv2", "CreateTargetGroup"),
    "aws_nat_gateway": ("ec2", "CreateNatGateway"),
    "aws_secretsmanager_secret": ("secretsmanager", "CreateSecret"),
    "aws_vpc": ("ec2", "CreateVpc"),
    "aws_vpc_endpoint": ("ec2", "CreateVpcEndpoint"),
}
#: Members that the provider names otherwise than the service.
NAMES = {
    "aws_lb": {"load_balancer_type": "Type"},
    "aws_lb_listener": {"default_action": "DefaultActions"},
    "aws_lb_listener_rule": {"action": "Actions", "condition": "Conditions"},
    "aws_ecs_cluster": {"setting": "settings"},
}


class Judged:
    """What was judged, and what was found."""

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.complaints: list[str] = []


def judged(made: list[dict]) -> Judged:
    """Judges resources of a plan, which has what was written and not what AWS makes up."""
    result = Judged()
    for resource in made:
        if resource["type"] not in OPERATIONS:
            continue
        for where, found in members(request(resource["type"]), resource["values"], resource["type"]):
            result.members.add(where)
            result.complaints += [f"{resource['address']}: {where}: {what}" for what in found]
    return result


@functools.cache
def request(kind: str) -> Shape:
    service, operation = OPERATIONS[kind]
    return botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape


def members(shape: Shape, value: object, where: str) -> Iterator[tuple[str, list[str]]]:
    """Each scalar that both know, with what its shape has against it."""
    if shape.type_name == "structure":
        # A block that occurs once at most is a list in Terraform.
        [value] = value if isinstance(value, list) and len(value) == 1 else [value]
        names = {plain(name): member for name, member in shape.members.items()}
        for name, one in value.items() if isinstance(value, dict) else []:
            member = names.get(plain(NAMES.get(where, {}).get(name, name)))
            if member is not None and one not in (None, "", [], {}):
                yield from members(member, one, f"{where}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for one in value:
            yield from members(shape.member, one, where)
    elif shape.type_name in ("string", "integer", "long", "double", "float") and not isinstance(value, (dict, list)):
        yield where, complaints(shape, number(shape, value), where)


def complaints(shape: Shape, value: object, where: str) -> list[str]:
    try:
        return [what for _, what in walk_constraints(shape, value, where)]
    except re.error:
        # A pattern in Java's language that Python's does not know.
        return []


def plain(name: str) -> str:
    """`target_type`, `targetType` and `TargetType` are one; so are `Actions` and `action`."""
    return name.replace("_", "").lower().removesuffix("s")


def number(shape: Shape, value: object) -> object:
    """Terraform has some numbers as text."""
    return value if shape.type_name == "string" or isinstance(value, (int, float)) else float(value)
