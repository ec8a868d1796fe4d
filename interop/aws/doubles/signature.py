"""botocore's signer as the judge of AWS signatures (version 4, in the header): recomputes each from the request as it came.
Grants and forbids nothing beyond that."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timezone

from botocore.auth import SIGNED_HEADERS_BLACKLIST, SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.listener import Request

#: How far AWS lets clocks differ.
SKEW_SECONDS = 300
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass
class Identity:
    """A key pair that the double knows; temporary ones have a session token."""

    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    token: str | None = None

    def environment(self) -> dict[str, str]:
        """As a program's variables."""
        token = {"AWS_SESSION_TOKEN": self.token} if self.token else {}
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key} | token


class Refused(Exception):
    """A signature that is not good: AWS's code for it, and what is wrong."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def judge(request: Request, identities: list[Identity], service: str, region: str) -> Identity:
    """Whose request it is.

    Raises `Refused`, with the canonical request where the signature itself is wrong.
    """
    match = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not match:
        raise Refused("MissingAuthenticationTokenException", "the header Authorization holds no signature of version 4")
    identity = next((one for one in identities if one.access_key == match["key"]), None)
    if identity is None:
        raise Refused("UnrecognizedClientException", f"nobody has the access key {match['key']}")
    if request.headers.get("x-amz-security-token") != identity.token:
        raise Refused("UnrecognizedClientException", "the session token is not that of the access key")
    if (match["service"], match["region"]) != (service, region):
        scope = f"{match['service']}/{match['region']}"
        raise Refused("InvalidSignatureException", f"signed for {scope}, this is {service}/{region}")
    check_time(request, match["date"])
    check_headers(request, match["headers"].split(";"))
    check_signature(request, match, identity)
    return identity


def check_time(request: Request, date: str) -> None:
    try:
        signed = datetime.strptime(request.headers.get("x-amz-date", ""), SIGV4_TIMESTAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        raise Refused("InvalidSignatureException", "x-amz-date is missing or no time") from None
    if abs((datetime.now(timezone.utc) - signed).total_seconds()) > SKEW_SECONDS or f"{signed:%Y%m%d}" != date:
        raise Refused("InvalidSignatureException", "signed too long ago, in the future or for another day")


def check_headers(request: Request, signed: list[str]) -> None:
    needed = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    if missing := sorted(needed - set(signed)):
        raise Refused("InvalidSignatureException", f"not signed: {missing}")
    stated = request.headers.get("x-amz-content-sha256")
    if stated is not None and stated != hashlib.sha256(request.body).hexdigest():
        raise Refused("InvalidSignatureException", "x-amz-content-sha256 is not the hash of the body")


def check_signature(request: Request, match: re.Match, identity: Identity) -> None:
    names = [name for name in match["headers"].split(";") if name not in SIGNED_HEADERS_BLACKLIST]
    again = AWSRequest(
        method=request.method,
        url=f"http://{request.headers['host']}{request.target}",
        data=request.body,
        headers={name: request.headers[name] for name in names if name in request.headers},
    )
    again.context["timestamp"] = request.headers["x-amz-date"]
    credentials = Credentials(identity.access_key, identity.secret_key, identity.token)
    signer = SigV4Auth(credentials, match["service"], match["region"])
    canonical = signer.canonical_request(again)
    expected = signer.signature(signer.string_to_sign(again, canonical), again)
    if not hmac.compare_digest(expected, match["signature"]):
        raise Refused("InvalidSignatureException", f"the signature is wrong; the canonical request is\n{canonical}")
