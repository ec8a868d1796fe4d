"""Actions of the stand-in: what a provider does beside keeping resources, for Terraform 1.14 and later. Here they are written down and
nothing else is done. The package with the protocol's messages has none for them yet, so those are made here.

Source: the protocol, version 6.10: https://github.com/hashicorp/terraform/tree/main/docs/plugin-protocol."""

from collections.abc import Callable, Iterator

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tf.gen import tfplugin_pb2 as protocol

TEXT = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
MESSAGE = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
OPTIONAL = {"computed": False, "optional": True, "required": False}
REQUIRED = {"computed": False, "optional": False, "required": True}

#: Their schemas by hand: the provider's bindings for other languages have no actions. As in the provider's documentation of each.
SCHEMAS = {
    "aws_codebuild_start_build": {
        "attributes": {
            "project_name": {"type": "string", **REQUIRED},
            "source_version": {"type": "string", **OPTIONAL},
            "timeout": {"type": "number", **OPTIONAL},
        },
        "blocks": {
            "environment_variables_override": {
                "nesting": "list",
                "min": 0,
                "max": 0,
                "block": {
                    "attributes": {
                        "name": {"type": "string", **REQUIRED},
                        "value": {"type": "string", **REQUIRED},
                        "type": {"type": "string", **OPTIONAL},
                    },
                    "blocks": {},
                },
            }
        },
    }
}


def declare() -> descriptor_pb2.FileDescriptorProto:
    """The messages, as the protocol has them; `Schemas` is the part of GetProviderSchema.Response that is about actions."""
    file = descriptor_pb2.FileDescriptorProto(name="actions.proto", package="tfplugin6", syntax="proto3")
    file.dependency.append(protocol.DESCRIPTOR.name)
    message(file.message_type.add(), "ActionSchema", schema=(1, "Schema"))
    message(file.message_type.add(), "ActionEntry", key=(1, TEXT), value=(2, "ActionSchema"))
    message(file.message_type.add(), "Schemas", action_schemas=(11, ["ActionEntry"]))
    message(file.message_type.add(), "ValidateRequest", type_name=(1, TEXT), config=(2, "DynamicValue"))
    message(file.message_type.add(), "Request", action_type=(1, TEXT), config=(2, "DynamicValue"))
    message(file.message_type.add(), "Response", diagnostics=(1, ["Diagnostic"]))
    message(file.message_type.add(), "Progress", message=(1, TEXT))
    message(file.message_type.add(), "Event", progress=(1, "Progress"), completed=(2, "Response"))
    return file


def message(of: descriptor_pb2.DescriptorProto, name: str, **fields) -> None:
    """A message with these fields: number, and a type, the name of a message, or a list of those."""
    of.name = name
    for field, (number, kind) in fields.items():
        repeated = isinstance(kind, list)
        kind = kind[0] if repeated else kind
        added = of.field.add(name=field, number=number, label=3 if repeated else 1)
        if kind == TEXT:
            added.type = TEXT
        else:
            added.type, added.type_name = MESSAGE, f".tfplugin6.{kind}"


def classes() -> dict[str, type]:
    pool = descriptor_pool.Default()
    pool.Add(declare())
    file = pool.FindFileByName("actions.proto")
    return {name: message_factory.GetMessageClass(of) for name, of in file.message_types_by_name.items()}


OF = classes()


def describe(response: protocol.GetProviderSchema.Response, schema_of: Callable) -> None:
    """Adds the actions to the answer to GetProviderSchema."""
    schemas = {name: OF["ActionSchema"](schema=schema_of(block)) for name, block in SCHEMAS.items()}
    entries = [OF["ActionEntry"](key=name, value=schema) for name, schema in schemas.items()]
    response.MergeFromString(OF["Schemas"](action_schemas=entries).SerializeToString())


def serve(server: grpc.Server, invoke: Callable[[str, protocol.DynamicValue], str | None]) -> None:
    """Adds the methods for actions. `invoke` does one, and says what went wrong, if anything did."""

    def invoked(request, context) -> Iterator:
        yield OF["Event"](progress=OF["Progress"](message="asked for"))
        failure = invoke(request.action_type, request.config)
        yield OF["Event"](progress=OF["Progress"](message="ended"))
        errors = [protocol.Diagnostic(severity=protocol.Diagnostic.ERROR, summary=failure)] if failure else []
        yield OF["Event"](completed=OF["Response"](diagnostics=errors))

    def fine(request, context):
        return OF["Response"]()

    methods = {
        "ValidateActionConfig": grpc.unary_unary_rpc_method_handler(fine, OF["ValidateRequest"].FromString, OF["Response"].SerializeToString),
        "PlanAction": grpc.unary_unary_rpc_method_handler(fine, OF["Request"].FromString, OF["Response"].SerializeToString),
        "InvokeAction": grpc.unary_stream_rpc_method_handler(invoked, OF["Request"].FromString, OF["Event"].SerializeToString),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin6.Provider", methods),))
