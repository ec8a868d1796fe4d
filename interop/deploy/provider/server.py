"""A stand-in for Terraform's AWS provider that knows its schema and nothing else: real Terraform plans, applies and destroys against
it, without AWS. It keeps nothing (the state is Terraform's), makes up what AWS would compute, and writes down what it was asked.
It does not know which values AWS takes, and makes no difference between what AWS changes in place and what it replaces.

    server.py LIBRARY SOCKET DIRECTORY TERRAFORM...

LIBRARY is the unpacked `lib` of the provider's bindings; TERRAFORM are directories whose *.tf say which types to serve. It listens
on the Unix socket SOCKET and prints, in one line, what the variable TF_REATTACH_PROVIDERS must hold. In DIRECTORY it appends each
change to `changes.jsonl`, and reads `refuse` at each change: types of resources and actions, one a line, that it refuses to make, change or do.
"""

import hashlib
import json
import os
import re
import sys
import time
from concurrent import futures
from pathlib import Path

import grpc
import msgpack
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc
from tf.gen import tfplugin_pb2 as protocol
from tf.gen import tfplugin_pb2_grpc as service

sys.path.insert(0, str(Path(__file__).parent.parent))
from provider import actions  # noqa: E402
from provider.bindings import Bindings, directories  # noqa: E402

ADDRESS = "registry.terraform.io/hashicorp/aws"
ACCOUNT = "123456789012"
REGION = "us-east-1"
#: A value that is known after apply, as Terraform writes it.
UNKNOWN = msgpack.ExtType(0, b"\x00")
NESTINGS = {"single": 1, "list": 2, "set": 3, "map": 4}
#: `Attribute.write_only`, field 11 of the protocol since version 6.8, which the package with its messages does not have yet.
WRITE_ONLY = b"\x58\x01"
USED = re.compile(r'^\s*(resource|data)\s+"(aws_\w+)"', re.M)


# Schemas, in the protocol's form.


def schema_of(block: dict) -> protocol.Schema:
    return protocol.Schema(version=0, block=block_of(block))


def block_of(block: dict) -> protocol.Schema.Block:
    attributes = []
    for name, of in sorted(block["attributes"].items()):
        flags = {flag: of[flag] for flag in ("required", "optional", "computed")}
        attribute = protocol.Schema.Attribute(name=name, type=json.dumps(of["type"]).encode(), **flags)
        if write_only(name, of):
            attribute.MergeFromString(WRITE_ONLY)
        attributes.append(attribute)
    nested = [
        protocol.Schema.NestedBlock(
            type_name=name, nesting=NESTINGS[of["nesting"]], min_items=of["min"], max_items=of["max"], block=block_of(of["block"])
        )
        for name, of in sorted(block["blocks"].items())
    ]
    return protocol.Schema.Block(attributes=attributes, block_types=nested)


def write_only(name: str, of: dict) -> bool:
    """An argument that no state keeps; the provider names them all alike. What only says whether there is one is computed."""
    return name.endswith("_wo") and of["optional"]


# Values.


def read(value: protocol.DynamicValue):
    if value.msgpack:
        return msgpack.unpackb(value.msgpack, raw=False, ext_hook=lambda *_: UNKNOWN, strict_map_key=False)
    return json.loads(value.json) if value.json else None


def write(value) -> protocol.DynamicValue:
    return protocol.DynamicValue(msgpack=msgpack.packb(value, use_bin_type=True))


def elements(value, block: dict):
    """Each nested block in a value, with its schema."""
    for name, of in block["blocks"].items():
        nested = value.get(name)
        for each in nested if isinstance(nested, list) else [nested]:
            if isinstance(each, dict):
                yield each, of["block"]


def planned(value: dict, block: dict, prior: dict | None) -> dict:
    """What was asked for; what AWS computes is as it was, or known after apply."""
    for name, of in block["attributes"].items():
        if write_only(name, of):
            value[name] = None
        elif of["computed"] and value.get(name) is None:
            before = (prior or {}).get(name)
            value[name] = UNKNOWN if before is None else before
    for each, nested in elements(value, block):
        planned(each, nested, None)
    return value


def settled(value: dict, block: dict, kind: str, seed: str) -> dict:
    """With something made up for all that was not known. The same for the same request, whenever it is made."""
    for name, of in block["attributes"].items():
        if value.get(name) == UNKNOWN:
            value[name] = made_up(kind, name, of["type"], seed)
    for each, nested in elements(value, block):
        settled(each, nested, kind, seed)
    return value


#: What others read the form of. All of one resource have the same digest.
AGENTCORE = "arn:aws:bedrock-agentcore:{region}:{account}"
SHAPES = {
    ("aws_bedrockagentcore_agent_runtime", "agent_runtime_arn"): f"{AGENTCORE}:runtime/server-{{digest}}",
    ("aws_bedrockagentcore_agent_runtime", "agent_runtime_id"): "server-{digest}",
    ("aws_bedrockagentcore_gateway", "gateway_arn"): f"{AGENTCORE}:gateway/gateway-{{digest}}",
    ("aws_bedrockagentcore_gateway", "gateway_id"): "gateway-{digest}",
    ("aws_bedrockagentcore_gateway", "gateway_url"): "https://gateway-{digest}.gateway.bedrock-agentcore.{region}.amazonaws.com/mcp",
    ("aws_bedrockagentcore_oauth2_credential_provider", "credential_provider_arn"): (
        f"{AGENTCORE}:token-vault/default/oauth2credentialprovider/{{digest}}"
    ),
    ("aws_bedrockagentcore_oauth2_credential_provider", "secret_arn"): (
        "arn:aws:secretsmanager:{region}:{account}:secret:bedrock-agentcore-identity!default/oauth2/{digest}"
    ),
    ("aws_cognito_user_pool", "endpoint"): "cognito-idp.{region}.amazonaws.com/{region}_{digest}",
    ("aws_cognito_user_pool", "id"): "{region}_{digest}",
    ("aws_ecr_repository", "repository_url"): "{account}.dkr.ecr.{region}.amazonaws.com/{digest}",
    ("aws_iam_role", "arn"): "arn:aws:iam::{account}:role/{digest}",
}


def made_up(kind: str, name: str, of, seed: str):
    if of == "string":
        if shape := SHAPES.get((kind, name)):
            return shape.format(account=ACCOUNT, region=REGION, digest=hashlib.sha256(seed.encode()).hexdigest()[:10])
        digest = hashlib.sha256(f"{seed} {name}".encode()).hexdigest()[:10]
        if name == "region":
            return REGION
        if name.endswith("arn"):
            return f"arn:aws:{kind.split('_')[1]}:{REGION}:{ACCOUNT}:{kind.removeprefix('aws_')}/{digest}"
        return f"https://{digest}.example.invalid/" if name.endswith("url") else digest
    if of == "number":
        return 0
    if of == "bool":
        return False
    if of[0] == "object":
        return {member: made_up(kind, member, type_, seed) for member, type_ in of[1].items()}
    if of[0] in ("list", "set"):
        # A list of objects that AWS computes has one in most cases, and modules take it as `[0]`.
        return [made_up(kind, name, of[1], seed)] if isinstance(of[1], list) and of[1][0] == "object" else []
    return {} if of[0] == "map" else None


def policy_document(config: dict) -> str:
    """What `data.aws_iam_policy_document` computes."""
    statements = []
    for each in config.get("statement") or []:
        statement = {"Effect": each.get("effect") or "Allow", "Action": each.get("actions"), "Resource": each.get("resources")}
        statement |= {"Sid": each.get("sid"), "NotAction": each.get("not_actions"), "NotResource": each.get("not_resources")}
        statement["Principal"] = {of["type"]: of["identifiers"] for of in each.get("principals") or []}
        statement["Condition"] = {}
        for of in each.get("condition") or []:
            statement["Condition"].setdefault(of["test"], {})[of["variable"]] = of["values"]
        statements.append({name: value for name, value in statement.items() if value and value != UNKNOWN})
    # What is not known yet is known when the document is read, so nothing of it is left here.
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


#: What is known of an account without asking for anything that was made in it.
KNOWN = {
    "aws_caller_identity": {"account_id": ACCOUNT, "id": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/someone"},
    "aws_region": {"name": REGION, "region": REGION, "id": REGION},
    "aws_partition": {"partition": "aws", "dns_suffix": "amazonaws.com", "id": "aws"},
    "aws_availability_zones": {"names": [f"{REGION}{zone}" for zone in "abc"], "zone_ids": ["use1-az1", "use1-az2", "use1-az3"]},
}


class Provider(service.ProviderServicer):
    """The protocol, version 6: https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol."""

    def __init__(self, library: Path, directory: Path, used: set[str]) -> None:
        known = directories(library)
        schemas = {name: Bindings(known[name] / "index.js").schema() for name in used if name in known}
        self.resources = {name: schema for name, schema in schemas.items() if not name.startswith("data.")}
        self.data = {name.removeprefix("data."): schema for name, schema in schemas.items() if name.startswith("data.")}
        self.provider = Bindings(library / "provider/index.js").schema()
        self.changes = directory / "changes.jsonl"
        self.directory = directory

    def GetMetadata(self, request, context):
        of = protocol.GetMetadata
        return of.Response(
            server_capabilities=protocol.ServerCapabilities(get_provider_schema_optional=False),
            resources=[of.ResourceMetadata(type_name=name) for name in self.resources],
            data_sources=[of.DataSourceMetadata(type_name=name) for name in self.data],
        )

    def GetProviderSchema(self, request, context):
        response = protocol.GetProviderSchema.Response(
            provider=schema_of(self.provider),
            resource_schemas={name: schema_of(schema) for name, schema in self.resources.items()},
            data_source_schemas={name: schema_of(schema) for name, schema in self.data.items()},
        )
        actions.describe(response, schema_of)
        return response

    def ValidateProviderConfig(self, request, context):
        return protocol.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request, context):
        return protocol.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request, context):
        return protocol.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request, context):
        allowed = read(request.config).get("allowed_account_ids")
        if isinstance(allowed, list) and allowed and ACCOUNT not in allowed:
            refusal = protocol.Diagnostic(severity=protocol.Diagnostic.ERROR, summary=f"AWS account ID not allowed: {ACCOUNT}")
            return protocol.ConfigureProvider.Response(diagnostics=[refusal])
        return protocol.ConfigureProvider.Response()

    def UpgradeResourceState(self, request, context):
        return protocol.UpgradeResourceState.Response(upgraded_state=write(json.loads(request.raw_state.json)))

    def ReadResource(self, request, context):
        return protocol.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request, context):
        wanted = read(request.proposed_new_state)
        if wanted is None:
            return protocol.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        plan = planned(wanted, self.resources[request.type_name], read(request.prior_state))
        return protocol.PlanResourceChange.Response(planned_state=write(plan))

    def ApplyResourceChange(self, request, context):
        kind, wanted, prior = request.type_name, read(request.planned_state), read(request.prior_state)
        if wanted is not None and self._names("refuse", kind):
            error = protocol.Diagnostic(severity=protocol.Diagnostic.ERROR, summary=f"{kind} was refused")
            return protocol.ApplyResourceChange.Response(new_state=request.prior_state, diagnostics=[error])
        self._write_down(kind, "delete" if wanted is None else "create" if prior is None else "update", read(request.config))
        self._hold(kind)
        if wanted is None:
            return protocol.ApplyResourceChange.Response(new_state=request.planned_state)
        seed = json.dumps(wanted, default=str, sort_keys=True)
        return protocol.ApplyResourceChange.Response(new_state=write(settled(wanted, self.resources[kind], kind, seed)))

    def ImportResourceState(self, request, context):
        schema = self.resources[request.type_name]
        state = dict.fromkeys(schema["attributes"]) | {name: None if of["nesting"] == "single" else [] for name, of in schema["blocks"].items()}
        if "id" in state:
            state["id"] = request.id
        of = protocol.ImportResourceState
        return of.Response(imported_resources=[of.ImportedResource(type_name=request.type_name, state=write(state))])

    def ReadDataSource(self, request, context):
        kind, config = request.type_name, read(request.config)
        schema = self.data[kind]
        seed = json.dumps(config, default=str, sort_keys=True)
        value = settled(planned(config, schema, None), schema, kind, seed) | KNOWN.get(kind, {})
        if kind == "aws_iam_policy_document":
            value["json"] = value["minified_json"] = policy_document(config)
        return protocol.ReadDataSource.Response(state=write(value))

    def GetFunctions(self, request, context):
        return protocol.GetFunctions.Response()

    def StopProvider(self, request, context):
        return protocol.StopProvider.Response()

    def invoke(self, kind: str, config: protocol.DynamicValue) -> str | None:
        """An action: written down, and done with that. Answers what went wrong."""
        if self._names("refuse", kind):
            return f"{kind} was refused"
        self._write_down(kind, "invoke", read(config))
        self._hold(kind)
        return None

    def _hold(self, kind: str) -> None:
        while self._names("hold", kind):
            time.sleep(0.05)

    def _names(self, file: str, kind: str) -> bool:
        path = self.directory / file
        return path.exists() and kind in path.read_text().split()

    def _write_down(self, kind: str, change: str, config: dict | None) -> None:
        with self.changes.open("a") as file:
            file.write(json.dumps({"type": kind, "change": change, "config": config}, default=str) + "\n")


class Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):
    def Shutdown(self, request, context):
        return grpc_controller_pb2.Empty()


class Streams(grpc_stdio_pb2_grpc.GRPCStdioServicer):
    def StreamStdio(self, request, context):
        return iter(())


def used_in(roots: list[Path]) -> set[str]:
    """The types that the files below these directories name: `aws_s3_bucket`, `data.aws_region`."""
    text = "\n".join(path.read_text() for root in roots for pattern in ("*.tf", "*.tftest.hcl") for path in root.rglob(pattern))
    return {f"data.{name}" if kind == "data" else name for kind, name in USED.findall(text)}


def main(library: str, socket: str, directory: str, *roots: str) -> None:
    unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(16), options=unlimited)
    provider = Provider(Path(library), Path(directory), used_in([Path(root) for root in roots]))
    service.add_ProviderServicer_to_server(provider, server)
    actions.serve(server, provider.invoke)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(Streams(), server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    address = {"Network": "unix", "String": socket}
    attach = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
    print(json.dumps({ADDRESS: attach}), flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
