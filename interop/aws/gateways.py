"""Gateways as people have them, made through AWS's own client: one with about everything that there is, and two plain ones."""

import json
from urllib.parse import quote

from aws.doubles.control_plane import ACCOUNT, ControlPlane

ROLE = f"arn:aws:iam::{ACCOUNT}:role/gateway"
LOGIN = "https://login.example.com/.well-known/openid-configuration"
LAMBDA = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:tools"
OPENAPI = '{"openapi": "3.0.0", "info": {"title": "Pets", "version": "1"}, "paths": {}}'
NO_SCOPE: list[str] = []


def runtime_arn(name: str, region: str = "us-east-1") -> str:
    """The ARN of a Runtime of this name."""
    return f"arn:aws:bedrock-agentcore:{region}:{ACCOUNT}:runtime/{name}-a1b2c3d4e5"


def runtime_url(arn: str, query: str = "") -> str:
    """Where a Runtime is invoked."""
    return f"https://bedrock-agentcore.{arn.split(':')[3]}.amazonaws.com/runtimes/{quote(arn, safe='')}/invocations{query}"


def server(endpoint: str, **settings: object) -> dict:
    """The configuration of a target that is an MCP server."""
    return {"mcp": {"mcpServer": {"endpoint": endpoint} | settings}}


class Maker:
    """Makes gateways, targets and credential providers in one control plane."""

    def __init__(self, plane: ControlPlane) -> None:
        self.client = plane.client()

    def gateway(self, name: str, authorizer: str = "NONE", **settings: object) -> str:
        """A new gateway; gives its id."""
        asked = {"name": name, "roleArn": ROLE, "protocolType": "MCP", "authorizerType": authorizer} | settings
        return self.client.create_gateway(**asked)["gatewayId"]

    def resource_policy(self, gateway: str, effect: str, condition: dict | None = None) -> None:
        """Says who may call a gateway, with a policy of one statement about everybody."""
        arn = self.client.get_gateway(gatewayIdentifier=gateway)["gatewayArn"]
        statement = {"Effect": effect, "Principal": "*", "Action": "bedrock-agentcore:InvokeGateway", "Resource": arn}
        statement |= {"Condition": condition} if condition else {}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.client.put_resource_policy(resourceArn=arn, policy=json.dumps(policy))

    def traffic(self, gateway: str) -> None:
        """Says how much may come in at a gateway, and that some of it is led to one target."""
        second = {"dimensions": {"toolName": "*"}, "requests": [{"rate": 5.0, "period": "second"}]}
        self.client.create_gateway_rate_limit(
            gatewayIdentifier=gateway, rateLimitId="by-tool", dimensionKeys=["toolName"], entries=[second]
        )
        for priority, target in [(10, "calculator"), (20, "hello"), (30, "calculator"), (40, "hello")]:
            route = {"routeToTarget": {"staticRoute": {"targetName": target}}}
            self.client.create_gateway_rule(gatewayIdentifier=gateway, priority=priority, actions=[route])

    def target(self, gateway: str, name: str, configuration: dict, *credential: dict, **settings: object) -> None:
        """A new target, with one credential or none."""
        credentials = {"credentialProviderConfigurations": list(credential)} if credential else {}
        self.client.create_gateway_target(
            gatewayIdentifier=gateway, name=name, targetConfiguration=configuration, **credentials, **settings
        )

    def oauth(self, name: str, discovery: dict, scopes: list[str], secret: dict, more: dict | None = None, **used) -> dict:
        """A new OAuth provider, and the credential of a target that uses it. `secret` is `clientSecret`, or
        `clientSecretConfig` with `clientSecretSource`."""
        config = {"oauthDiscovery": discovery, "clientId": f"{name}-client"} | secret | (more or {})
        made = self.client.create_oauth2_credential_provider(
            name=name,
            credentialProviderVendor="CustomOauth2",
            oauth2ProviderConfigInput={"customOauth2ProviderConfig": config},
        )
        use = {"providerArn": made["credentialProviderArn"], "scopes": scopes} | used
        return {"credentialProviderType": "OAUTH", "credentialProvider": {"oauthCredentialProvider": use}}

    def key(self, name: str, secret: dict, **used: object) -> dict:
        """A new API key provider, and the credential of a target that uses it."""
        arn = self.client.create_api_key_credential_provider(name=name, **secret)["credentialProviderArn"]
        provider = {"apiKeyCredentialProvider": {"providerArn": arn} | used}
        return {"credentialProviderType": "API_KEY", "credentialProvider": provider}


def role(service: str | None = None, **settings: object) -> dict:
    """The credential of a target that is shown the gateway's own role."""
    provider = {"credentialProvider": {"iamCredentialProvider": {"service": service} | settings}} if service else {}
    return {"credentialProviderType": "GATEWAY_IAM_ROLE"} | provider


def secret_arn(name: str) -> str:
    """The ARN of a secret in Secrets Manager."""
    return f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{name}-AbCdEf"


def everything(plane: ControlPlane) -> str:
    """A gateway with every kind of setting and target; gives its id."""
    make = Maker(plane)
    gateway = make.gateway(
        "Shop",
        "CUSTOM_JWT",
        description='Sells "things",\neverywhere.',
        authorizerConfiguration={"customJWTAuthorizer": full_authorizer()},
        protocolConfiguration={
            "mcp": {
                "supportedVersions": ["2025-11-25", "2026-07-28"],
                "instructions": 'Tools of the shop.\nSay "please" \\ and \'thanks\'.',
                "searchType": "SEMANTIC",
                "sessionConfiguration": {"sessionTimeoutInSeconds": 7200},
                "streamingConfiguration": {"enableResponseStreaming": True},
            }
        },
        interceptorConfigurations=[{"interceptor": {"lambda": {"arn": LAMBDA}}, "interceptionPoints": ["REQUEST"]}],
        policyEngineConfiguration={
            "arn": f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:policy-engine/shop-0123456789",
            "mode": "ENFORCE",
        },
        exceptionLevel="DEBUG",
    )
    make.resource_policy(gateway, "Deny", {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    mirrored_targets(make, gateway)
    different_targets(make, gateway)
    left_out_targets(make, gateway)
    make.traffic(gateway)
    return gateway


def full_authorizer() -> dict:
    def claim(name: str, kind: str, operator: str, **value: object) -> dict:
        matched = {"claimMatchOperator": operator, "claimMatchValue": value}
        return {
            "inboundTokenClaimName": name,
            "inboundTokenClaimValueType": kind,
            "authorizingClaimMatchValue": matched,
        }

    return {
        "discoveryUrl": LOGIN,
        "allowedAudience": ["shop"],
        "allowedClients": ["web", "mobile"],
        "allowedScopes": ["shop/invoke"],
        "customClaims": [
            claim("department", "STRING", "EQUALS", matchValueString="sales"),
            claim("cognito:groups", "STRING_ARRAY", "CONTAINS", matchValueString="operators"),
            claim("roles", "STRING_ARRAY", "CONTAINS_ANY", matchValueStringList=["reader", "writer"]),
        ],
        "advertisedScopeMapping": {"shop/invoke": "api://shop/invoke"},
    }


def mirrored_targets(make: Maker, gateway: str) -> None:
    external = {"clientSecretConfig": {"secretId": secret_arn("calculator"), "jsonKey": "client_secret"}}
    external |= {"clientSecretSource": "EXTERNAL"}
    calculator = make.oauth(
        "calculator", {"discoveryUrl": LOGIN}, ["calculator/invoke"], external, customParameters={"audience": "calculator"}
    )
    make.target(gateway, "calculator", server(runtime_url(runtime_arn("calculator"))), calculator, description="Adds.")
    metadata = {
        "issuer": "https://login.example.com",
        "authorizationEndpoint": "https://login.example.com/authorize",
        "tokenEndpoint": "https://login.example.com/token",
        "tokenEndpointAuthMethods": ["client_secret_post"],
    }
    managed = {"clientSecret": "hunter2"}
    hello = make.oauth("hello", {"authorizationServerMetadata": metadata}, NO_SCOPE, managed, grantType="CLIENT_CREDENTIALS")
    dynamic = {"listingMode": "DYNAMIC", "resourcePriority": 10}
    make.target(gateway, "hello", server("https://hello.example.com/mcp", **dynamic), hello)
    weather = {"credentialLocation": "HEADER", "credentialParameterName": "Authorization", "credentialPrefix": "Bearer"}
    make.target(
        gateway, "weather", server("https://weather.example.com/mcp"), make.key("weather", {"apiKey": "hunter2"}, **weather)
    )
    external_key = {"apiKeySecretConfig": {"secretId": secret_arn("maps"), "jsonKey": "key"}, "apiKeySecretSource": "EXTERNAL"}
    maps = make.key("maps", external_key, credentialLocation="QUERY_PARAMETER", credentialParameterName="api_key")
    make.target(gateway, "maps", server("https://maps.example.com/mcp"), maps)
    logs = runtime_url(runtime_arn("logs", "eu-west-1"), "?qualifier=production")
    make.target(gateway, "logs", server(logs), role("bedrock-agentcore", region="eu-west-1"))
    affine = {"allowedRequestHeaders": ["Mcp-Session-Id"], "allowedResponseHeaders": ["Mcp-Session-Id"]}
    make.target(gateway, "time", server("https://time.example.com/mcp"), metadataConfiguration=affine)


def different_targets(make: Maker, gateway: str) -> None:
    passed = {"allowedRequestHeaders": ["X-Tenant", "Mcp-Session-Id"], "allowedQueryParameters": ["version"]}
    lattice = {"resourceConfigurationIdentifier": "rcfg-0123456789abcdef0"}
    make.target(
        gateway,
        "inside",
        server("https://inside.example.com/mcp"),
        metadataConfiguration=passed,
        privateEndpoint={"selfManagedLatticeResource": lattice},
    )
    fixed = {"mcpToolSchema": {"inlinePayload": '{"tools": []}'}}
    make.target(gateway, "fixed", server("https://fixed.example.com/mcp", **fixed))


def left_out_targets(make: Maker, gateway: str) -> None:
    tool = {"name": "greet", "description": "Greets.", "inputSchema": {"type": "object"}}
    function = {"mcp": {"lambda": {"lambdaArn": LAMBDA, "toolSchema": {"inlinePayload": [tool]}}}}
    make.target(gateway, "function", function, role())
    key = make.key("pets", {"apiKey": "hunter2"}, credentialParameterName="X-Api-Key", credentialLocation="HEADER")
    make.target(gateway, "pets", {"mcp": {"openApiSchema": {"inlinePayload": OPENAPI}}}, key)
    make.target(gateway, "smithy", {"mcp": {"smithyModel": {"s3": {"uri": "s3://bucket/model.json"}}}}, role())
    tools = {"toolFilters": [{"filterPath": "/pets", "methods": ["GET"]}]}
    rest = {"restApiId": "abcdef1234", "stage": "prod", "apiGatewayToolConfiguration": tools}
    make.target(gateway, "rest", {"mcp": {"apiGateway": rest}}, role())
    make.target(gateway, "search", {"mcp": {"connector": {"source": {"connectorId": "web-search"}}}}, role())
    make.target(gateway, "agent", {"http": {"agentcoreRuntime": {"arn": runtime_arn("agent")}}}, role())
    client = {"clientSecret": "hunter2"}
    users = make.oauth("users", {"discoveryUrl": LOGIN}, ["mail"], client, grantType="AUTHORIZATION_CODE")
    make.target(gateway, "mail", server("https://mail.example.com/mcp"), users)
    exchange = make.oauth("exchange", {"discoveryUrl": LOGIN}, ["files"], client, grantType="TOKEN_EXCHANGE")
    make.target(gateway, "files", server("https://files.example.com/mcp"), exchange)
    callers = {"credentialProviderType": "CALLER_IAM_CREDENTIALS"}
    make.target(gateway, "caller", server("https://caller.example.com/mcp"), callers)
    own = make.key("accept", {"apiKey": "hunter2"}, credentialParameterName="Accept", credentialLocation="HEADER")
    make.target(gateway, "accept", server("https://accept.example.com/mcp"), own)


def signed(plane: ControlPlane) -> str:
    """A gateway for callers with AWS credentials, with lists in one page; gives its id."""
    make = Maker(plane)
    gateway = make.gateway("Signed", "AWS_IAM", protocolConfiguration={"mcp": {"disableMcpListToolsPagination": True}})
    make.target(gateway, "time", server("https://time.example.com/mcp"))
    return gateway


def open_to_all(plane: ControlPlane) -> str:
    """A gateway that anyone may call, with one target that has its name; gives its id."""
    make = Maker(plane)
    gateway = make.gateway("time")
    make.target(gateway, "time", server("https://time.example.com/mcp"))
    return gateway
