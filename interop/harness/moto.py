"""AWS as moto emulates it: the second opinion beside ministack, with signatures judged. Knows nothing of the gateway."""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx2
from botocore.config import Config

from harness.process import Process

REGION = "us-east-1"


@dataclass
class Moto:
    """A running one, which answers every caller until `judge` is called."""

    url: str

    def client(self, service: str, access_key_id: str = "test", secret_access_key: str = "test"):
        """boto3's client of one service."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=Config(proxies={}),
        )

    def user(self, name: str, actions: list[str]) -> dict[str, str]:
        """A new IAM user who may do this with everything and nothing else, as variables for a program's environment."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="interop", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
        }

    def judge(self) -> None:
        """From now on every request needs a good signature of a user whose policy allows it."""
        answer = httpx2.post(
            f"{self.url}/moto-api/reset-auth", content="0", headers={"Content-Type": "text/plain"}, trust_env=False
        )
        answer.raise_for_status()


@contextmanager
def moto() -> Iterator[Moto]:
    """Starts one, with nothing in it."""
    program = str(Path(sys.executable).parent / "moto_server")
    with tempfile.TemporaryDirectory() as home, Process([program, "-H", "127.0.0.1", "-p", "0"], {"HOME": home}) as it:
        yield Moto(it.wait_for(lambda: address(it.errors + it.lines), "moto says where it listens"))


def address(lines: list[str]) -> str | None:
    found = (re.search(r"Running on (http://127\.0\.0\.1:\d+)", line) for line in lines)
    return next((match[1] for match in found if match), None)
