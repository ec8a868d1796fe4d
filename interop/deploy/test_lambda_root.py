"""terraform/lambda: what it makes, what it refuses, whom it lets do what, and that the program takes the configuration that it is
given."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.gateway import causeway
from harness.process import CLEAN
from harness.terraform import REPOSITORY, Aws, Root, aws, checkov, resources

ACCOUNT = "123456789012"
ROOT = REPOSITORY / "terraform/lambda"
RUNTIME = f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:runtime/orders-a1b2c3d4e5"
CONFIG = """\
[gateway]
public_url = "${public_url}"

[authorizer.custom_jwt]
discovery_url = "${discovery_url}"
allowed_clients = ["${client_id}"]
allowed_scopes = ["${scope}"]

[lambda]
trust_api_gateway_authorizer = true

[[targets]]
name = "orders"
http.runtime_arn = "%s"
credential.sigv4 = {}
""" % RUNTIME
IMAGE = {"image_uri": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/causeway:1.0.0"}
LEAST = {"name": "tools", "config_toml": CONFIG}
MOST = {
    **LEAST,
    "nat": True,
    "zone_count": 3,
    "web_acl_arn": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:regional/webacl/ours/1",
    "reserved_concurrency": 5,
    "runtime_arns": [RUNTIME],
    "readable_secret_arns": [f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:orders-AbCdEf"],
    "environment": {"RUST_LOG": "info"},
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with aws(tmp_path_factory.mktemp("aws")) as provider:
        yield provider


@pytest.fixture
def root(tmp_path: Path, provider: Aws) -> Root:
    return Root("lambda", tmp_path / "terraform", provider).init()


@pytest.fixture
def package(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "function.zip"
    path.write_bytes(b"PK")
    return {"package_path": str(path)}


def applied(root: Root, **variables: object) -> list[dict]:
    root.variables(**variables)
    return list(resources(root.apply()))


def values(made: list[dict], kind: str) -> list[dict]:
    return [resource["values"] for resource in made if resource["type"] == kind]


def statements(made: list[dict]) -> list[dict]:
    policies = [policy["policy"] for kind in ["aws_iam_role_policy", "aws_iam_policy"] for policy in values(made, kind)]
    return [statement for policy in policies for statement in json.loads(policy)["Statement"]]


# What there is.


@pytest.mark.parametrize("given", [LEAST, MOST], ids=["least", "most"])
def test_it_is_made_once_and_taken_down_whole(root: Root, package: dict, given: dict) -> None:
    root.run("validate", "-no-color").ok()
    applied(root, **given, **package)
    again = root.run("plan", "-detailed-exitcode", "-no-color")
    assert again.status == 0, again.out
    root.run("destroy", "-auto-approve", "-no-color").ok()
    assert json.loads((root.path / "terraform.tfstate").read_text())["resources"] == []


def test_its_files_are_formatted_and_its_own_tests_pass(root: Root) -> None:
    unformatted = root.run("fmt", "-check", "-recursive", ".")
    assert unformatted.status == 0, unformatted.out
    tested = root.run("test", "-no-color")
    assert tested.status == 0 and "3 passed, 0 failed" in tested.out, tested.text


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_each_environment_is_good(root: Root, environment: str) -> None:
    root.variables(config_toml=CONFIG, **IMAGE)
    root.run("apply", "-auto-approve", "-no-color", f"-var-file=environments/{environment}.tfvars").ok()
    assert f"/{environment}/mcp" in root.outputs()["url"]


def test_the_function_is_private_and_answers_in_time(root: Root, package: dict) -> None:
    made = applied(root, **LEAST, **package)
    [function] = values(made, "aws_lambda_function")
    assert (function["runtime"], function["architectures"]) == ("provided.al2023", ["arm64"])
    [network] = function["vpc_config"]
    subnets = values(made, "aws_subnet")
    assert sorted(network["subnet_ids"]) == sorted(subnet["id"] for subnet in subnets) and len(subnets) == 2
    # Nothing leads out of there, and nothing in.
    for way in ["aws_internet_gateway", "aws_nat_gateway", "aws_route"]:
        assert values(made, way) == []
    [out] = values(made, "aws_vpc_security_group_egress_rule")
    assert (out["cidr_ipv4"], out["from_port"], out["to_port"]) == ("10.40.0.0/20", 443, 443)
    services = {endpoint["service_name"].split(".", 3)[3] for endpoint in values(made, "aws_vpc_endpoint")}
    assert services == {"bedrock-agentcore", "logs", "secretsmanager", "sts"}
    waits = {integration["timeout_milliseconds"] for integration in values(made, "aws_api_gateway_integration")}
    assert waits == {function["timeout"] * 1000} == {29000}
    assert values(made, "aws_wafv2_web_acl_association") == [] and values(made, "aws_cloudtrail") == []


def test_all_of_mcp_takes_a_token_with_the_scope(root: Root, package: dict) -> None:
    made = applied(root, **LEAST, **package)
    paths = {resource["id"]: resource["path_part"] for resource in values(made, "aws_api_gateway_resource")}
    [authorizer] = values(made, "aws_api_gateway_authorizer")
    [pool] = values(made, "aws_cognito_user_pool")
    assert authorizer["type"] == "COGNITO_USER_POOLS" and authorizer["provider_arns"][0].endswith(f"userpool/{pool['id']}")
    for method in values(made, "aws_api_gateway_method"):
        path = paths[method["resource_id"]]
        if method["authorization"] == "NONE":
            assert (path, method["http_method"]) in [("{document+}", "GET"), ("mcp", "OPTIONS"), ("{toolset}", "OPTIONS")]
        else:
            assert method["authorization_scopes"] == ["tools-id/invoke"] and path in ["mcp", "{toolset}"]
    [permission] = values(made, "aws_lambda_permission")
    [api] = values(made, "aws_api_gateway_rest_api")
    assert permission["source_arn"] == f"{api['execution_arn']}/prod/*", "who else may call could make up a caller"


def test_the_function_may_do_what_it_needs_and_no_more(root: Root, package: dict) -> None:
    made = applied(root, **MOST, **package)
    allowed = {action: each["Resource"] for each in statements(made) if each["Effect"] == "Allow" for action in each["Action"]}
    assert not [action for action in allowed if "*" in action]
    assert {action for action, of in allowed.items() if of in ["*", ["*"]]} == {
        f"ec2:{name}"
        for name in [
            "AssignPrivateIpAddresses",
            "CreateNetworkInterface",
            "DeleteNetworkInterface",
            "DescribeNetworkInterfaces",
            "DescribeSubnets",
            "UnassignPrivateIpAddresses",
        ]
    }
    assert allowed["secretsmanager:GetSecretValue"] == MOST["readable_secret_arns"]
    assert allowed["bedrock-agentcore:InvokeAgentRuntime"] == [RUNTIME, f"{RUNTIME}/runtime-endpoint/*"]
    [group] = [group["arn"] for group in values(made, "aws_cloudwatch_log_group") if group["name"] == "/aws/lambda/tools"]
    assert allowed["logs:PutLogEvents"] == f"{group}:*"
    least = statements(applied(root, **LEAST, **package))
    assert {action for each in least for action in each["Action"] if not action.startswith("ec2:")} == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_the_program_takes_the_configuration(root: Root, package: dict) -> None:
    made = applied(root, **LEAST, **package)
    [function] = values(made, "aws_lambda_function")
    [environment] = function["environment"]
    checked = subprocess.run(
        [causeway(), "check"], env=CLEAN | environment["variables"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert root.outputs()["url"] in environment["variables"]["CAUSEWAY_CONFIG_TOML"]
    assert "CAUSEWAY_CONFIG_TOML is good" in checked.stdout and "serves callers with a token" in checked.stdout


def test_an_image_is_told_that_it_is_a_function(root: Root) -> None:
    made = applied(root, **LEAST, **IMAGE)
    [function] = values(made, "aws_lambda_function")
    assert (function["package_type"], function["image_config"][0]["command"]) == ("Image", ["lambda"])
    assert function["runtime"] is None and values(made, "aws_s3_bucket") == []


def test_the_client_is_kept_where_commands_read_it(root: Root, provider: Aws) -> None:
    before = len(provider.changes())
    applied(root, **LEAST, **IMAGE)
    kept = [change["config"] for change in provider.changes()[before:] if change["type"] == "aws_secretsmanager_secret_version"]
    client = json.loads(kept[0]["secret_string_wo"])
    assert sorted(client) == ["client_id", "client_secret", "scope", "token_endpoint"]
    outputs = root.outputs()
    assert (client["client_id"], client["scope"]) == (outputs["client_id"], outputs["scope"])
    secret = outputs["client_secret_arn"]
    assert outputs["commands"]["list_tools"] == (
        f"CAUSEWAY_TOKEN=$(causeway token secret {secret} --raw) causeway tools {outputs['url']}"
    )


def test_an_example_is_good_once_it_is_filled_in(root: Root, package: dict) -> None:
    text = (root.path / "terraform.tfvars.example").read_text().replace("EXAMPLE", "a1b2c3d4e5")
    text = text.replace("../../target/lambda/function.zip", package["package_path"])
    (root.path / "terraform.tfvars").write_text(text)
    root.plan()


@pytest.mark.parametrize(
    "config",
    [
        CONFIG.replace("trust_api", "  trust_api"),
        "lambda.trust_api_gateway_authorizer=true\n" + CONFIG.replace("[lambda]\ntrust_api_gateway_authorizer = true\n", ""),
    ],
    ids=["indented", "dotted"],
)
def test_trust_may_be_written_as_toml_lets_it(root: Root, config: str) -> None:
    root.variables(**(LEAST | IMAGE | {"config_toml": config}))
    root.plan()


# What it refuses.


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "my tools"}, "such as tools-dev"),
        ({"image_uri": None}, "give package_path or image_uri, and not both"),
        ({"image_uri": "causeway:1.0.0"}, "is no image of ECR"),
        ({"package_path": "/nowhere/function.zip", "image_uri": None}, "just lambda-package"),
        ({"config_toml": CONFIG.replace("trust_api", "trusts_api")}, "or nat = true"),
        ({"config_toml": CONFIG.replace("trust_api", "# trust_api")}, "or nat = true"),
        ({"config_toml": CONFIG + "#" * 3000}, "put the file config.toml into the package"),
        ({"serves": "sample.nothing"}, "write gateway, sample.calculator"),
        ({"serves": "sample.hello"}, "An image serves the gateway"),
        ({"timeout_seconds": 60}, "write 2 to 29 in place of 60"),
        ({"log_retention_days": 31}, "in place of 31"),
        ({"log_groups": ["/aws/lambda/orders"]}, "The gateway reads no logs"),
        ({"readable_secret_arns": ["orders"]}, "whole ARNs of secrets"),
        ({"runtime_arns": [f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:runtime/*"]}, "ARNs of Runtimes"),
        ({"environment": {"ORDERS_CLIENT_SECRET": "s"}}, "must not be in the environment"),
        ({"endpoint_services": ["cognito-idp"]}, "leave cognito-idp out"),
        ({"endpoint_services": ["com.amazonaws.us-east-1.sts"]}, "names after the region"),
        ({"cidr": "10.0.0.0/28"}, "too small"),
        ({"throttling": {"rate": 0}}, "nobody is answered"),
        ({"web_acl_arn": "ours"}, "no web ACL"),
        ({"stage": "a/b"}, "cannot name a stage"),
        ({"reserved_concurrency": 0}, "write 1 or more, or leave it out"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(root: Root, wrong: dict, said: str) -> None:
    root.variables(**(LEAST | IMAGE | wrong))
    refused = root.run("plan", "-no-color")
    assert refused.status == 1 and said in refused.text, refused.text


# The check itself.


@pytest.mark.parametrize(
    ("file", "right", "wrong", "said"),
    [
        ("main.tf", "module.network.private_subnet_ids", "module.network.private_subnets", "Unsupported attribute"),
        ("../modules/api-gateway/main.tf", "authorizer_id ", "authoriser_id ", 'Did you mean "authorizer_id"?'),
        ("../modules/lambda-function/main.tf", "  role          =", "  rolle         =", '"role" is required'),
        ("bootstrap/permissions.tf", "local.regional}:function", "local.region}:function", ""),
    ],
)
def test_a_mistake_is_found(root: Root, file: str, right: str, wrong: str, said: str) -> None:
    root.replace(file, right, wrong)
    if file.startswith("bootstrap"):
        root.path = root.path / "bootstrap"
        root.init()
        said = "undeclared local value"
    found = root.run("validate", "-no-color")
    assert found.status == 1 and said in found.text, found.text


def test_a_hole_is_found(root: Root) -> None:
    root.replace("../modules/lambda-function/iam.tf", '["logs:CreateLogStream", "logs:PutLogEvents"]', '["*"]')
    found = checkov("terraform", "-d", root.path)
    assert found.status == 1 and "CKV_AWS_" in found.out


def test_nothing_is_left_to_say_about_its_security() -> None:
    found = checkov("terraform", "-d", ROOT)
    assert found.status == 0, found.out


# What comes before.

BOOTSTRAP = {
    "name": "tools",
    "github_repository": "owner/causeway",
    "hcp": {"organization": "ours", "workspaces": ["causeway-dev"]},
}


@pytest.fixture
def bootstrap(tmp_path: Path, provider: Aws) -> Root:
    return Root("lambda/bootstrap", tmp_path / "terraform", provider).init()


def test_only_these_jobs_and_workspaces_may_deploy(bootstrap: Root) -> None:
    made = applied(bootstrap, **BOOTSTRAP)
    subjects = {}
    for role in values(made, "aws_iam_role"):
        [statement] = json.loads(role["assume_role_policy"])["Statement"]
        equals = statement["Condition"]["StringEquals"]
        subjects |= {key: of for key, of in equals.items() if key.endswith(":sub")}
        assert len(equals) == 2 and "*" not in json.dumps(equals)
    assert subjects == {
        "token.actions.githubusercontent.com:sub": ["repo:owner/causeway:environment:dev", "repo:owner/causeway:environment:prod"],
        "app.terraform.io:sub": [
            f"organization:ours:project:causeway:workspace:causeway-dev:run_phase:{phase}" for phase in ["plan", "apply"]
        ],
    }
    outputs = bootstrap.outputs()
    assert outputs["github_role_arn"] and outputs["state_bucket"]
    assert outputs["hcp_variables"]["TFC_AWS_PROVIDER_AUTH"] == "true"


def test_who_deploys_may_change_what_is_there(bootstrap: Root) -> None:
    allowed = {action for each in statements(applied(bootstrap, **BOOTSTRAP)) if each["Effect"] == "Allow" for action in each["Action"]}
    # With another `nat`, what may leave the function is changed in place.
    assert "ec2:ModifySecurityGroupRules" in allowed
    # With `web_acl_arn`.
    assert allowed >= {"apigateway:SetWebACL", "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACLForResource"}


def test_who_deploys_may_not_let_itself_do_more(bootstrap: Root) -> None:
    made = applied(bootstrap, **BOOTSTRAP)
    for policy in values(made, "aws_iam_policy"):
        # IAM counts without white space.
        assert len(policy["policy"]) < 6144, policy["name"]
    said = statements(made)
    assert not [action for each in said for action in each["Action"] if "*" in action]
    [denied] = [each for each in said if each["Effect"] == "Deny"]
    assert "iam:PutRolePolicy" in denied["Action"] and denied["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/tools-deploy-*"]
    [passed] = [each for each in said if "iam:PassRole" in each["Action"]]
    assert passed["Condition"]["StringEquals"]["iam:PassedToService"] == ["lambda.amazonaws.com", "apigateway.amazonaws.com"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"github_repository": "https://github.com/owner/causeway"}, "write owner/name"),
        ({"github_environments": ["*"]}, "without wildcards"),
        ({"hcp": {"organization": "ours", "workspaces": ["*"]}}, "without wildcards"),
    ],
)
def test_what_would_let_others_in_is_refused(bootstrap: Root, wrong: dict, said: str) -> None:
    bootstrap.variables(**(BOOTSTRAP | wrong))
    refused = bootstrap.run("plan", "-no-color")
    assert refused.status == 1 and said in refused.text, refused.text
