"""A deployment of terraform/agentcore by real Terraform, before the stand-in for AWS's provider. Judges nothing."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.terraform import REPOSITORY, Aws, Root, aws

ROOTS = [REPOSITORY / "terraform/agentcore", REPOSITORY / "terraform/modules"]
IMAGES = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
LOG_GROUPS = ["/interop/app", "/ecs/*"]
PASSWORD, CLIENT_SECRET = "Correct-horse-1", "a-secret-of-an-issuer"

#: Of each kind one: built, given, with tokens, with signatures, with log groups; and what runs already.
WHOLE = {
    "gateway_name": "team-tools",
    "gateway_description": "Tools of the team",
    "callback_urls": ["http://localhost:8080/login/callback"],
    "test_user": {"create": True},
    "servers": {
        "my-calculator": {"description": "Adds and multiplies", "source_directory": "./sample-server"},
        "hello": {"image_uri": f"{IMAGES}/hello:1", "authorization": "iam", "runtime_config": {"GREETING": "Hello"}},
        "cloudwatch-insights": {
            "image_uri": f"{IMAGES}/team/insights@sha256:{'0' * 64}",
            "log_groups": LOG_GROUPS,
            "runtime_config": {"QUERY_TIMEOUT": "30s"},
            "environment": {"RUST_LOG": "info"},
            "allowed_request_headers": ["X-Correlation-Id"],
            "subnet_ids": ["subnet-0123456789abcdef0"],
            "security_group_ids": ["sg-0123456789abcdef0"],
            "idle_timeout_seconds": 600,
            "max_lifetime_seconds": 7200,
        },
    },
    "targets": {
        "orders": {
            "endpoint": "https://orders.example.com/mcp",
            "client_credentials": {
                "client_id": "abc",
                "token_endpoint": "https://login.example.com/oauth2/token",
                "scopes": ["orders/read"],
            },
        },
        "open": {"endpoint": "https://open.example.com/mcp"},
    },
}
#: What is never written to a file.
SECRETS = {
    "TF_VAR_test_user_password": PASSWORD,
    "TF_VAR_target_secrets": f'{{"orders": "{CLIENT_SECRET}"}}',
}


@dataclass
class Deployment:
    """A copy of the root with variables, and the stand-in that it is applied to."""

    root: Root
    provider: Aws

    def vary(self, **variables) -> None:
        """Other values for some of WHOLE's variables."""
        self.root.variables(**(WHOLE | variables))

    def apply(self) -> list[dict]:
        """Applies, and answers what was changed by it."""
        before = len(self.provider.changes())
        self.root.run("apply", "-auto-approve", "-no-color").ok()
        return self.provider.changes()[before:]

    def of(self, kind: str, name: str, **having) -> dict:
        """The arguments of the one resource of this type whose `name` is that; in their latest form."""
        wanted = {"name": name} | having if name else having
        found = [
            change["config"]
            for change in self.provider.changes()
            if change["type"] == kind and change["config"] and wanted.items() <= change["config"].items()
        ]
        assert found, f"there is no {kind} with {wanted}"
        return found[-1]


@contextlib.contextmanager
def deployment(directory: Path) -> Iterator[Deployment]:
    """WHOLE, not applied yet."""
    with bare(directory, SECRETS) as deployed:
        deployed.vary()
        yield deployed


@contextlib.contextmanager
def bare(directory: Path, secrets: dict[str, str] | None = None) -> Iterator[Deployment]:
    """One whose variables are not set."""
    with aws(directory / "aws", *ROOTS) as provider:
        provider.env |= secrets or {}
        yield Deployment(Root("agentcore", directory / "terraform", provider).init(), provider)
