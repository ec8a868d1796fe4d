"""Access tokens, fetched as any program fetches one. Knows no issuer."""

import httpx2


def fetch_token(endpoint: str, client_id: str, secret: str) -> str:
    """One for client_credentials."""
    form = {"grant_type": "client_credentials"}
    answer = httpx2.post(endpoint, auth=(client_id, secret), data=form, trust_env=False)
    return answer.raise_for_status().json()["access_token"]
