"""A stateful double of `bedrock-agentcore-control` for what gateways are made of: keeps gateways, their resource policies,
rate limits, rules, targets and credential providers as they were created, and shows them. botocore's model judges each request and each answer,
botocore's signer each signature. Serves no MCP: where a gateway does that is for the test to say."""

import base64
import copy
import json
import string
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from random import Random

import boto3
from botocore.config import Config

from aws.doubles.model import Meant, Model, complaints
from aws.doubles.signature import Identity, Refused, judge
from harness.listener import Answer, Request, listening

SERVICE = "bedrock-agentcore-control"
ACCOUNT = "123456789012"
#: Until a test has a gateway serve elsewhere.
GATEWAY_URL = "https://{id}.gateway.bedrock-agentcore.{region}.amazonaws.com/mcp"
#: What AWS keeps of a provider's input without showing it.
HIDDEN = ["clientSecret", "clientSecretConfig", "clientSecretSource"]
#: Of `targetConfiguration`, which target types the summary calls how.
TARGET_TYPES = {
    "mcpServer": "MCP_SERVER",
    "lambda": "LAMBDA",
    "openApiSchema": "OPEN_API_SCHEMA",
    "smithyModel": "SMITHY_MODEL",
    "apiGateway": "API_GATEWAY",
    "agentcoreRuntime": "AGENTCORE_RUNTIME",
    "passthrough": "PASSTHROUGH",
    "provider": "PROVIDER",
}


class Failure(Exception):
    """An answer that is one of the operation's errors."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class ControlPlane:
    """What one account has in one region."""

    region: str = "us-east-1"
    identity: Identity = field(default_factory=Identity)
    #: Items on a page at most, whatever a client asks for: AWS promises no page to be full.
    page: int = 3
    url: str = ""
    #: The names of the operations that were asked for, refused ones included.
    asked: list[str] = field(default_factory=list)
    #: What of the double's own answers does not fit the model.
    own_mistakes: list[str] = field(default_factory=list)
    #: The last answer to each operation that was no error, as it went over the wire.
    answered: dict[str, dict] = field(default_factory=dict)
    #: The client secrets that credential providers were last given, by the providers' names.
    secrets: dict[str, str | None] = field(default_factory=dict)
    #: Where the letters of ids come from; one with a seed gives the same ones each time.
    chance: Random = field(default_factory=Random)
    _gateways: dict[str, dict] = field(default_factory=dict)
    _targets: dict[str, dict[str, dict]] = field(default_factory=dict)
    _providers: dict[tuple[str, str], dict] = field(default_factory=dict)
    _limits: dict[str, list[dict]] = field(default_factory=dict)
    _rules: dict[str, list[dict]] = field(default_factory=dict)
    #: By the ARN of their resource.
    _policies: dict[str, str] = field(default_factory=dict)
    _failures: dict[str, list[Failure]] = field(default_factory=dict)
    _model: Model = field(default_factory=lambda: Model(SERVICE))

    def client(self, **settings: object):
        """boto3's client of it: AWS's own."""
        return boto3.client(
            SERVICE,
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.identity.access_key,
            aws_secret_access_key=self.identity.secret_key,
            aws_session_token=self.identity.token,
            config=Config(proxies={}, retries={"total_max_attempts": 1}, **settings),
        )

    def environment(self) -> dict[str, str]:
        """What makes a program use it in place of AWS."""
        endpoint = {"AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL": self.url, "AWS_REGION": self.region}
        return endpoint | self.identity.environment()

    def fail(self, operation: str, code: str, message: str = "told to", times: int = 1) -> None:
        """Answers the next requests for an operation with this error, which the model must know for it."""
        self._model.error_status(self._model.operation(operation), code)
        self._failures.setdefault(operation, []).extend([Failure(code, message)] * times)

    def move(self, gateway_id: str, url: str) -> None:
        """From now on a gateway serves MCP there."""
        self._gateways[gateway_id]["gatewayUrl"] = url

    def answer(self, request: Request) -> Answer:
        """Judges a request and carries it out."""
        try:
            judge(request, [self.identity], self._model.signing_name, self.region)
        except Refused as refused:
            return error(403, refused.code, str(refused))
        meant = self._model.meant(request)
        if meant is None:
            return error(404, "UnknownOperationException", f"nothing is at {request.method} {request.target}")
        self.asked.append(meant.operation.name)
        try:
            return self._carry_out(meant)
        except Failure as failure:
            return error(self._model.error_status(meant.operation, failure.code), failure.code, str(failure))

    def _carry_out(self, meant: Meant) -> Answer:
        operation = meant.operation
        if meant.complaints:
            raise Failure("ValidationException", "; ".join(meant.complaints))
        if told := self._failures.get(operation.name):
            raise told.pop(0)
        operations = {
            "CreateGateway": self._create_gateway,
            "GetGateway": self._get_gateway,
            "ListGateways": self._list_gateways,
            "PutResourcePolicy": self._put_policy,
            "GetResourcePolicy": self._get_policy,
            "CreateGatewayRateLimit": self._create_rate_limit,
            "ListGatewayRateLimits": self._list_of("ListGatewayRateLimits", "rateLimits", self._limits),
            "CreateGatewayRule": self._create_rule,
            "ListGatewayRules": self._list_of("ListGatewayRules", "gatewayRules", self._rules),
            "CreateGatewayTarget": self._create_target,
            "GetGatewayTarget": self._get_target,
            "ListGatewayTargets": self._list_targets,
            "CreateOauth2CredentialProvider": self._create_oauth2_provider,
            "GetOauth2CredentialProvider": self._get_provider("oauth2"),
            "UpdateOauth2CredentialProvider": self._update_oauth2_provider,
            "ListOauth2CredentialProviders": self._list_oauth2_providers,
            "DeleteOauth2CredentialProvider": self._delete_oauth2_provider,
            "CreateApiKeyCredentialProvider": self._create_api_key_provider,
            "GetApiKeyCredentialProvider": self._get_provider("apikey"),
        }
        if operation.name not in operations:
            return error(501, "InternalServerException", f"the double does not do {operation.name}")
        given = shown(operation.output_shape, operations[operation.name](meant.members))
        self.own_mistakes += mistakes(operation.output_shape, given)
        self.answered[operation.name] = given
        return Answer(operation.http["responseCode"], json.dumps(given).encode(), {"content-type": "application/json"})

    # ------------------------------------------------------------------------------------------------------- gateways

    def _create_gateway(self, asked: dict) -> dict:
        if any(gateway["name"] == asked["name"] for gateway in self._gateways.values()):
            raise Failure("ConflictException", f"a gateway is called {asked['name']} already")
        if (asked["authorizerType"] == "CUSTOM_JWT") != ("authorizerConfiguration" in asked):
            raise Failure("ValidationException", "authorizerConfiguration goes with authorizerType CUSTOM_JWT")
        name = asked["name"].lower()
        gateway_id = f"{name}-{self._letters(string.ascii_lowercase + string.digits)}"
        identity = f"workload-identity-directory/default/workload-identity/{gateway_id}"
        made = {
            "gatewayArn": self._arn(f"gateway/{gateway_id}"),
            "gatewayId": gateway_id,
            "gatewayUrl": GATEWAY_URL.format(id=gateway_id, region=self.region),
            "workloadIdentityDetails": {"workloadIdentityArn": self._arn(identity)},
        }
        self._gateways[gateway_id] = copy.deepcopy(asked) | made | new("READY")
        self._targets[gateway_id] = {}
        return self._gateways[gateway_id] | {"status": "CREATING"}

    def _get_gateway(self, asked: dict) -> dict:
        return self._found(asked["gatewayIdentifier"])

    def _list_gateways(self, asked: dict) -> dict:
        return self._paged(list(self._gateways.values()), asked, "ListGateways")

    def _put_policy(self, asked: dict) -> dict:
        self._found(asked["resourceArn"].rpartition("/")[2])
        self._policies[asked["resourceArn"]] = asked["policy"]
        return {"policy": asked["policy"]}

    def _get_policy(self, asked: dict) -> dict:
        if asked["resourceArn"] not in self._policies:
            raise Failure("ResourceNotFoundException", f"{asked['resourceArn']} has no resource policy")
        return {"policy": self._policies[asked["resourceArn"]]}

    def _create_rate_limit(self, asked: dict) -> dict:
        made = {"rateLimitId": self._letters(string.ascii_lowercase)} | copy.deepcopy(asked) | new("ACTIVE")
        self._limits.setdefault(self._found(asked["gatewayIdentifier"])["gatewayId"], []).append(made)
        return made

    def _create_rule(self, asked: dict) -> dict:
        gateway = self._found(asked["gatewayIdentifier"])
        rules = self._rules.setdefault(gateway["gatewayId"], [])
        if any(rule["priority"] == asked["priority"] for rule in rules):
            raise Failure("ConflictException", f"a rule has the priority {asked['priority']} already")
        made = {"ruleId": str(uuid.UUID(int=self.chance.getrandbits(128))), "gatewayArn": gateway["gatewayArn"]}
        rules.append(copy.deepcopy(asked) | made | new("ACTIVE"))
        return rules[-1]

    def _list_of(self, operation: str, member: str, kept: dict[str, list[dict]]) -> Callable[[dict], dict]:
        def listed(asked: dict) -> dict:
            return self._paged(kept.get(self._found(asked["gatewayIdentifier"])["gatewayId"], []), asked, operation, member)

        return listed

    def _found(self, gateway_id: str) -> dict:
        if gateway_id not in self._gateways:
            raise Failure("ResourceNotFoundException", f"there is no gateway {gateway_id}")
        return self._gateways[gateway_id]

    # -------------------------------------------------------------------------------------------------------- targets

    def _create_target(self, asked: dict) -> dict:
        gateway = self._found(asked["gatewayIdentifier"])
        targets = self._targets[gateway["gatewayId"]]
        if any(target["name"] == asked["name"] for target in targets.values()):
            raise Failure("ConflictException", f"a target is called {asked['name']} already")
        self._check_credentials(asked)
        target_id = self._letters(string.ascii_uppercase + string.digits)
        asked = {name: value for name, value in copy.deepcopy(asked).items() if name != "gatewayIdentifier"}
        made = {"gatewayArn": gateway["gatewayArn"], "targetId": target_id}
        # The model has an answer show credentials always, and lets nobody give an empty list: here one without shows one.
        credentials = {"credentialProviderConfigurations": asked.get("credentialProviderConfigurations", [])}
        targets[target_id] = asked | made | credentials | new("READY") | summary(asked["targetConfiguration"])
        return targets[target_id] | {"status": "CREATING"}

    def _check_credentials(self, asked: dict) -> None:
        for credential in asked.get("credentialProviderConfigurations", []):
            provider = credential.get("credentialProvider", {})
            is_server = "mcpServer" in asked["targetConfiguration"].get("mcp", {})
            if credential["credentialProviderType"] == "GATEWAY_IAM_ROLE" and is_server and not provider:
                message = "IamCredentialProvider is required for mcpServer targets using IAM authentication"
                raise Failure("ValidationException", message)
            arn = next((one["providerArn"] for one in provider.values() if "providerArn" in one), None)
            if arn and not any(kept["credentialProviderArn"] == arn for kept in self._providers.values()):
                raise Failure("ResourceNotFoundException", f"there is no credential provider {arn}")

    def _get_target(self, asked: dict) -> dict:
        self._found(asked["gatewayIdentifier"])
        target = self._targets[asked["gatewayIdentifier"]].get(asked["targetId"])
        if target is None:
            raise Failure("ResourceNotFoundException", f"there is no target {asked['targetId']}")
        return target

    def _list_targets(self, asked: dict) -> dict:
        self._found(asked["gatewayIdentifier"])
        targets = list(self._targets[asked["gatewayIdentifier"]].values())
        return self._paged(targets, asked, "ListGatewayTargets")

    # ------------------------------------------------------------------------------------------- credential providers

    def _create_oauth2_provider(self, asked: dict) -> dict:
        return self._keep("oauth2", asked["name"], self._oauth2_provider(asked))

    def _update_oauth2_provider(self, asked: dict) -> dict:
        before = self._get_provider("oauth2")(asked)
        changed = before | self._oauth2_provider(asked) | {"lastUpdatedTime": time.time()}
        self._providers["oauth2", asked["name"]] = changed
        return changed

    def _list_oauth2_providers(self, asked: dict) -> dict:
        providers = [provider for (kind, _), provider in self._providers.items() if kind == "oauth2"]
        return self._paged(providers, asked, "ListOauth2CredentialProviders", "credentialProviders")

    def _delete_oauth2_provider(self, asked: dict) -> dict:
        self._get_provider("oauth2")(asked)
        del self._providers["oauth2", asked["name"]]
        return {}

    def _oauth2_provider(self, asked: dict) -> dict:
        ((kind, given),) = asked["oauth2ProviderConfigInput"].items()
        config = {name: value for name, value in given.items() if name not in HIDDEN}
        if kind == "includedOauth2ProviderConfig":
            known = ("issuer", "authorizationEndpoint", "tokenEndpoint")
            metadata = {name: config.pop(name, "https://vendor.example.com/") for name in known}
            config["oauthDiscovery"] = {"authorizationServerMetadata": metadata}
        secret = self._secret("oauth2", asked["name"], given.get("clientSecretConfig"), "clientSecret")
        output = {"oauth2ProviderConfigOutput": {kind: config}, "status": "READY"}
        vendor = {"credentialProviderVendor": asked["credentialProviderVendor"]}
        self.secrets[asked["name"]] = given.get("clientSecret")
        return secret | output | vendor

    def _create_api_key_provider(self, asked: dict) -> dict:
        secret = self._secret("apikey", asked["name"], asked.get("apiKeySecretConfig"), "apiKeySecret")
        return self._keep("apikey", asked["name"], secret)

    def _secret(self, kind: str, name: str, config: dict | None, member: str) -> dict:
        """Where a provider's secret is: in one of the account's own secrets, or in one that AWS made."""
        if config:
            own = {"secretArn": config["secretId"]}
            return {f"{member}Arn": own, f"{member}JsonKey": config["jsonKey"], f"{member}Source": "EXTERNAL"}
        named = f"bedrock-agentcore-identity!default/{kind}/{name}-{self._letters(string.ascii_letters, 6)}"
        arn = f"arn:aws:secretsmanager:{self.region}:{ACCOUNT}:secret:{named}"
        return {f"{member}Arn": {"secretArn": arn}, f"{member}Source": "MANAGED"}

    def _keep(self, kind: str, name: str, provider: dict) -> dict:
        if (kind, name) in self._providers:
            raise Failure("ConflictException", f"a credential provider is called {name} already")
        arn = f"arn:aws:acps:{self.region}:{ACCOUNT}:token-vault/default/{kind}credentialprovider/{name}"
        now = time.time()
        made = {"name": name, "credentialProviderArn": arn, "createdTime": now, "lastUpdatedTime": now}
        self._providers[kind, name] = provider | made
        return self._providers[kind, name]

    def _get_provider(self, kind: str) -> Callable[[dict], dict]:
        def get(asked: dict) -> dict:
            if (kind, asked["name"]) not in self._providers:
                raise Failure("ResourceNotFoundException", f"there is no credential provider {asked['name']}")
            return self._providers[kind, asked["name"]]

        return get

    # ----------------------------------------------------------------------------------------------------------- both

    def _paged(self, items: list[dict], asked: dict, operation: str, member: str = "items") -> dict:
        start = 0
        if token := asked.get("nextToken"):
            try:
                start = int(base64.urlsafe_b64decode(token.encode()))
            except ValueError:
                raise Failure("ValidationException", "nextToken is none of ours") from None
        end = start + min(asked.get("maxResults", self.page), self.page)
        shape = self._model.operation(operation).output_shape.members[member].member
        more = {"nextToken": base64.urlsafe_b64encode(str(end).encode()).decode()} if end < len(items) else {}
        return {member: [shown(shape, one) for one in items[start:end]]} | more

    def _letters(self, letters: str, length: int = 10) -> str:
        return "".join(self.chance.choice(letters) for _ in range(length))

    def _arn(self, resource: str) -> str:
        return f"arn:aws:bedrock-agentcore:{self.region}:{ACCOUNT}:{resource}"


@contextmanager
def control_plane(**settings: object) -> Iterator[ControlPlane]:
    """A running one, with nothing in it. What it answered must have fitted the model."""
    plane = ControlPlane(**settings)
    with listening(plane.answer) as plane.url:
        yield plane
    assert not plane.own_mistakes, plane.own_mistakes


def new(status: str) -> dict:
    now = datetime.now(timezone.utc).isoformat()
    return {"status": status, "createdAt": now, "updatedAt": now}


def summary(configuration: dict) -> dict:
    """What a list says of a target's configuration."""
    ((protocol, kinds),) = configuration.items()
    ((kind, settings),) = kinds.items()
    members = {"protocolType": "MCP" if protocol == "mcp" else "HTTP", "targetType": TARGET_TYPES.get(kind)}
    members |= {name: settings[name] for name in ("listingMode", "resourcePriority") if name in settings}
    return {name: value for name, value in members.items() if value is not None}


def shown(shape, kept: dict) -> dict:
    """Of what is kept, the members that the shape has."""
    return {name: value for name, value in kept.items() if name in shape.members}


def mistakes(shape, given: dict) -> list[str]:
    """What the model does not allow in an answer, but for a target without credentials, for which it has no form."""
    found = complaints(shape, given, shape.name)
    return [one for one in found if not one.endswith("credentialProviderConfigurations: 0 is less than 1")]


def error(status: int, code: str, message: str) -> Answer:
    headers = {"content-type": "application/json", "x-amzn-errortype": code}
    return Answer(status, json.dumps({"message": message}).encode(), headers)
