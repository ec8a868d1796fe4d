"""Cognito user pools in an emulated account. Knows nothing of the gateway."""

from dataclasses import dataclass

import httpx2

from harness.account import Account
from harness.tokens import fetch_token


@dataclass
class M2mClient:
    """A client of a user pool that gets tokens for itself."""

    id: str
    secret: str


@dataclass
class Pool:
    """A user pool with one resource server."""

    account: Account
    id: str

    @classmethod
    def create(cls, account: Account, name: str, scopes: list[str]) -> "Pool":
        """A new pool whose resource server `name` has these scopes: `name/scope` in a token."""
        cognito = account.client("cognito-idp")
        pool = cls(account, cognito.create_user_pool(PoolName=name)["UserPool"]["Id"])
        cognito.create_user_pool_domain(Domain=f"interop-{name}", UserPoolId=pool.id)
        cognito.create_resource_server(
            UserPoolId=pool.id,
            Identifier=name,
            Name=name,
            Scopes=[{"ScopeName": scope, "ScopeDescription": scope} for scope in scopes],
        )
        return pool

    def client(self, name: str, *scopes: str) -> M2mClient:
        """A new client that may ask for these scopes."""
        made = self.account.client("cognito-idp").create_user_pool_client(
            UserPoolId=self.id,
            ClientName=name,
            GenerateSecret=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=list(scopes),
        )["UserPoolClient"]
        return M2mClient(made["ClientId"], made["ClientSecret"])

    @property
    def discovery_url(self) -> str:
        return f"{self.account.url}/{self.id}/.well-known/openid-configuration"

    @property
    def token_endpoint(self) -> str:
        return httpx2.get(self.discovery_url, trust_env=False).raise_for_status().json()["token_endpoint"]

    def token(self, client: M2mClient) -> str:
        """An access token, fetched as any program fetches one."""
        return fetch_token(self.token_endpoint, client.id, client.secret)
