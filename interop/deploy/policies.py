"""IAM policies, read just far enough to say what they allow. Knows no Deny, no Condition and no NotAction: a policy with one of them is
not for it."""

import fnmatch
import json


def statements(document: str) -> list[dict]:
    """The statements of a policy, each with lists for what may also stand alone."""
    found = json.loads(document)["Statement"]
    for statement in found:
        for member in ("Action", "Resource"):
            if isinstance(statement.get(member), str):
                statement[member] = [statement[member]]
    return found


def allows(document: str, action: str, resource: str) -> bool:
    """Whether the policy allows this action on this resource."""
    for statement in statements(document):
        assert statement["Effect"] == "Allow" and "NotAction" not in statement and "NotResource" not in statement
        matches = any(matching(pattern.lower(), action.lower()) for pattern in statement["Action"])
        if matches and any(matching(pattern, resource) for pattern in statement["Resource"]):
            return True
    return False


def matching(pattern: str, text: str) -> bool:
    """As IAM has it: `*` and `?`, and no brackets."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def actions(document: str) -> set[str]:
    return {action for statement in statements(document) for action in statement["Action"]}
