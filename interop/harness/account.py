"""An AWS account at an emulator, through boto3. Knows neither which emulator it is nor the gateway."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import boto3
from botocore.config import Config

REGION = "us-east-1"
#: The access key of the root, and its secret: every emulator lets it do everything.
ROOT = "test"
EVERYTHING = ("*",)


@dataclass
class Account:
    """One whose every service is at this URL."""

    url: str

    def client(self, service: str, key: str = ROOT, secret: str = ROOT):
        """boto3's client of one service."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(proxies={}),
        )

    def environment(self, key: str = ROOT, secret: str = ROOT) -> dict[str, str]:
        """What makes a program use it in place of AWS, as the root unless it says who else."""
        keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        return keys | {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.url}

    def user(self, *statements: dict) -> dict[str, str]:
        """The environment of a new IAM user whose policy has these statements and nothing else."""
        iam, name = self.client("iam"), f"user-{uuid.uuid4()}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="interop", PolicyDocument=policy(*statements))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return self.environment(made["AccessKeyId"], made["SecretAccessKey"])


def may(*actions: str, resources: Sequence[str] = EVERYTHING) -> dict:
    """The statement that allows this."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def policy(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
