"""User pools of a deployment, made in an emulated Cognito from the arguments that Terraform gave AWS's provider for them. What Cognito
makes up is another there; `ids` says what stands for what."""

from dataclasses import dataclass

from deploy.agentcore import Deployment
from harness.account import Account


@dataclass
class Made:
    """One pool with its clients."""

    id: str
    program: str
    secret: str
    people: str
    discovery_url: str


def made_alike(aws: Account, deployed: Deployment, name: str) -> Made:
    """The pool of the gateway or the server of this name, with the test user if there is one."""
    cognito = aws.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=deployed.of("aws_cognito_user_pool", f"{name}-pool")["name"])["UserPool"]["Id"]
    of_terraform = pool_id(deployed, name)
    domain = deployed.of("aws_cognito_user_pool_domain", "", user_pool_id=of_terraform)["domain"]
    cognito.create_user_pool_domain(Domain=domain, UserPoolId=pool)
    server = deployed.of("aws_cognito_resource_server", f"{name}-name", user_pool_id=of_terraform)
    [scope] = server["scope"]
    cognito.create_resource_server(
        UserPoolId=pool,
        Identifier=server["identifier"],
        Name=server["name"],
        Scopes=[{"ScopeName": scope["scope_name"], "ScopeDescription": scope["scope_description"]}],
    )
    program, people = (client(cognito, pool, deployed, f"{name}-{kind}") for kind in ["client", "user-client"])
    user = deployed.of("aws_cognito_user", "", user_pool_id=of_terraform)
    cognito.admin_create_user(UserPoolId=pool, Username=user["username"], MessageAction=user["message_action"])
    # As the provider does it for `password`.
    cognito.admin_set_user_password(UserPoolId=pool, Username=user["username"], Password=user["password"], Permanent=True)
    url = f"{aws.url}/{pool}/.well-known/openid-configuration"
    return Made(pool, program["ClientId"], program["ClientSecret"], people["ClientId"], url)


def client(cognito, pool: str, deployed: Deployment, name: str) -> dict:
    given = deployed.of("aws_cognito_user_pool_client", name)
    named = {
        "GenerateSecret": given["generate_secret"],
        "ExplicitAuthFlows": given["explicit_auth_flows"],
        "AllowedOAuthFlows": given["allowed_oauth_flows"],
        "AllowedOAuthFlowsUserPoolClient": given["allowed_oauth_flows_user_pool_client"],
        "AllowedOAuthScopes": given["allowed_oauth_scopes"],
        "CallbackURLs": given["callback_urls"],
        "SupportedIdentityProviders": given["supported_identity_providers"],
    }
    wanted = {key: value for key, value in named.items() if value is not None}
    return cognito.create_user_pool_client(UserPoolId=pool, ClientName=name, **wanted)["UserPoolClient"]


def ids(deployed: Deployment, name: str, made: Made) -> dict[str, str]:
    """What Terraform has of this pool, and what it is in the emulated Cognito."""
    outputs = deployed.root.outputs()
    of = outputs["runtimes"].get(name, outputs)
    return {
        of["discovery_url"]: made.discovery_url,
        of["user_pool_id"]: made.id,
        of["client_id"]: made.program,
        of["user_client_id"]: made.people,
    }


def pool_id(deployed: Deployment, name: str) -> str:
    outputs = deployed.root.outputs()
    return outputs["runtimes"].get(name, outputs)["user_pool_id"]
