"""A double of the API server of Kubernetes, as far as Helm asks it what is there already: a cluster that knows some kinds and has
Secrets and nothing else. Reads only; who asks is not asked who he is.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from harness.listener import Answer, Request, listening

VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}


@contextmanager
def cluster(release: str, namespace: str, kinds: list[dict], secrets: dict[str, dict[str, str]]) -> Iterator[str]:
    """The URL of one with these Secrets, their values in base64, as this release of Helm's left them. It knows the kinds of these
    manifests."""
    answers = discovery({(each["apiVersion"], each["kind"]) for each in kinds})
    for name, data in secrets.items():
        owner = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace}
        labels = {"app.kubernetes.io/managed-by": "Helm"}
        metadata = {"name": name, "namespace": namespace, "labels": labels, "annotations": owner}
        answers[f"/api/v1/namespaces/{namespace}/secrets/{name}"] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "data": data,
        }
    missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}

    def answer(request: Request) -> Answer:
        found = answers.get(request.target.split("?")[0])
        body = json.dumps(missing if found is None else found).encode()
        return Answer(404 if found is None else 200, body, {"content-type": "application/json"})

    with listening(answer) as url:
        yield url


def discovery(kinds: set[tuple[str, str]]) -> dict[str, dict]:
    """What the server says of itself, by path."""
    versions = {version for version, _ in kinds}
    answers = {
        "/version": VERSION,
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [group(version) for version in versions if "/" in version],
        },
    }
    for version in versions:
        resources = [
            {
                "name": f"{kind.lower()}s",
                "singularName": kind.lower(),
                "namespaced": True,
                "kind": kind,
                "verbs": ["get", "list"],
            }
            for of, kind in kinds
            if of == version
        ]
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        answers[path] = {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
    return answers


def group(version: str) -> dict:
    name, number = version.split("/")
    only = {"groupVersion": version, "version": number}
    return {"name": name, "versions": [only], "preferredVersion": only}
