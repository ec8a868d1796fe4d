"""What AWS's provider sends AgentCore's control plane for the arguments it is given: its way from the one to the other, followed here with
botocore's model at hand. It is not the provider's own; what it calls otherwise than the API is named."""

from collections.abc import Iterator

from aws.doubles.model import Model
from botocore.model import ListShape, MapShape, Shape, StructureShape

from deploy.agentcore import Deployment

OPERATIONS = {
    "aws_bedrockagentcore_agent_runtime": "CreateAgentRuntime",
    "aws_bedrockagentcore_gateway": "CreateGateway",
    "aws_bedrockagentcore_gateway_target": "CreateGatewayTarget",
    "aws_bedrockagentcore_oauth2_credential_provider": "CreateOauth2CredentialProvider",
}
#: What the provider calls otherwise than the API.
RENAMED = {
    "oauth2_provider_config": "oauth2ProviderConfigInput",
    "credential_provider_configuration": "credentialProviderConfigurations",
    "client_id_wo": "clientId",
    "client_secret_wo": "clientSecret",
}
#: What it keeps for itself.
ITS_OWN = {"client_credentials_wo_version", "timeouts"}
CREDENTIALS = {"oauth": ("OAUTH", "oauthCredentialProvider"), "gateway_iam_role": ("GATEWAY_IAM_ROLE", "iamCredentialProvider")}


def requests(deployed: Deployment) -> Iterator[tuple[str, dict]]:
    """Each request to the control plane, by operation."""
    model = Model("bedrock-agentcore-control")
    for change in deployed.provider.changes():
        if change["type"] in OPERATIONS:
            operation = OPERATIONS[change["type"]]
            yield operation, request(change["config"], model.operation(operation).input_shape)


def request(given: object, shape: Shape | None) -> object:
    """Arguments in the form of this shape: blocks that occur once are lists in Terraform."""
    if isinstance(shape, StructureShape):
        given = given[0] if isinstance(given, list) else given
        of = {name.lower(): name for name in shape.members}
        members = {}
        for argument, value in given.items():
            if argument in ITS_OWN or value in (None, [], {}):
                continue
            name = RENAMED.get(argument) or of.get(argument.replace("_", ""), argument)
            value = [credentials(each) for each in value] if argument == "credential_provider_configuration" else value
            members[name] = request(value, shape.members.get(name))
        return members
    if isinstance(shape, ListShape):
        return [request(each, shape.member) for each in given]
    return dict(given) if isinstance(shape, MapShape) else given


def credentials(block: dict) -> dict:
    """The one block that says the kind, as a member that says it and a union."""
    [(kind, given)] = [(kind, given) for kind, given in block.items() if given]
    of, member = CREDENTIALS[kind]
    return {"credential_provider_type": of, "credential_provider": {member: given}}
