"""botocore's model of one REST-JSON service as a judge: which operation a request means, and what of a value does not fit its
shape (members, types, enums, patterns, lengths). Keeps no state and answers nothing."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session
from botocore.model import OperationModel, Shape, StructureShape

from harness.listener import Request

#: JSON's types for the model's.
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


@dataclass
class Meant:
    """The operation that a request means, its members by name, and what of them the model does not allow."""

    operation: OperationModel
    members: dict = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


class Model:
    """The operations of one service."""

    def __init__(self, service: str) -> None:
        self._model = botocore.session.get_session().get_service_model(service)
        operations = [self._model.operation_model(name) for name in self._model.operation_names]
        routes = [(operation, pattern_of(operation)) for operation in operations]
        # Of two that match, the one with less left open.
        self._routes = sorted(routes, key=lambda route: route[1].groups)

    @property
    def signing_name(self) -> str:
        return self._model.signing_name

    def operation(self, name: str) -> OperationModel:
        return self._model.operation_model(name)

    def error_status(self, operation: OperationModel, code: str) -> int:
        """The HTTP status of an error that this operation may answer with."""
        errors = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in operation.error_shapes}
        assert code in errors, f"`{operation.name}` does not answer with `{code}`, but with one of {sorted(errors)}"
        return errors[code]

    def meant(self, request: Request) -> Meant | None:
        """Reads a request; none if no operation has its method and path."""
        path = urlsplit(request.target).path
        for operation, pattern in self._routes:
            match = pattern.fullmatch(path)
            if match and operation.http["method"] == request.method:
                return read(operation, match.groupdict(), request)
        return None


def pattern_of(operation: OperationModel) -> re.Pattern:
    """The paths of an operation, with a group for each member that stands in them."""
    path = operation.http["requestUri"].split("?")[0]
    parts = re.split(r"\{(\w+)(\+?)\}", path)
    fixed, names, greedy = parts[::3], parts[1::3], parts[2::3]
    groups = [f"(?P<{name}>{'.+' if more else '[^/]+'})" for name, more in zip(names, greedy)]
    return re.compile("".join(re.escape(text) + group for text, group in zip(fixed, groups + [""])))


def read(operation: OperationModel, in_path: dict[str, str], request: Request) -> Meant:
    """The members of a request, wherever the model has them stand."""
    meant = Meant(operation)
    shape = operation.input_shape
    if shape is None:
        return meant
    query = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    payload = shape.serialization.get("payload")
    try:
        body = {payload: request.body} if payload else json.loads(request.body) if request.body else {}
    except ValueError as why:
        meant.complaints.append(f"the body is no JSON: {why}")
        return meant
    places = {"uri": in_path, "querystring": query, "header": dict(request.headers), None: body}
    on_the_wire = {}
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "header":
            key = key.lower()
        value = places[place].pop(key, None)
        if value is not None:
            meant.members[name] = from_text(member, value) if place else value
            on_the_wire[member.serialization.get("name", name)] = meant.members[name]
    meant.complaints += [f"{key}: no such member" for key in [*query, *body]]
    meant.complaints += complaints(shape, on_the_wire, operation.name)
    return meant


def from_text(shape: Shape, text: str) -> object:
    """A member that stands in the path, the query or a header."""
    if shape.type_name in ("integer", "long"):
        return int(text) if re.fullmatch(r"-?\d+", text) else text
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return unquote(text) if shape.serialization["location"] == "uri" else text


def complaints(shape: Shape, value: object, where: str) -> list[str]:
    """Everything about a JSON value that its shape does not allow."""
    return [f"{path}: {what}" for path, what in walk(shape, value, where)]


def walk(shape: Shape, value: object, where: str) -> Iterator[tuple[str, str]]:
    kind = shape.type_name
    if kind == "timestamp":
        yield from walk_timestamp(shape, value, where)
        return
    if not isinstance(value, JSON_TYPES.get(kind, (object,))) or (isinstance(value, bool) and kind != "boolean"):
        yield where, f"{json.dumps(value)} is no {kind}"
        return
    yield from walk_constraints(shape, value, where)
    if kind == "structure" and not shape.is_document_type:
        yield from walk_structure(shape, value, where)
    elif kind == "list":
        for at, one in enumerate(value):
            yield from walk(shape.member, one, f"{where}[{at}]")
    elif kind == "map":
        for key, one in value.items():
            yield from walk(shape.key, key, f"{where} key")
            yield from walk(shape.value, one, f"{where}.{key}")


def walk_timestamp(shape: Shape, value: object, where: str) -> Iterator[tuple[str, str]]:
    """In a JSON body: seconds, unless the shape wants a text."""
    iso = shape.serialization.get("timestampFormat") == "iso8601"
    if not isinstance(value, str if iso else (int, float)):
        yield where, f"{json.dumps(value)} is no {'ISO 8601 time' if iso else 'number of seconds'}"


def walk_structure(shape: StructureShape, value: dict, where: str) -> Iterator[tuple[str, str]]:
    names = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
    present = {key: one for key, one in value.items() if one is not None}
    for name in shape.required_members:
        if shape.members[name].serialization.get("name", name) not in present:
            yield f"{where}.{name}", "it is required"
    if getattr(shape, "is_tagged_union", False) and len(present) != 1:
        yield where, f"a union has exactly one member, not {sorted(present)}"
    for key, one in present.items():
        if key in names:
            yield from walk(names[key][1], one, f"{where}.{key}")
        else:
            yield f"{where}.{key}", "no such member"


def walk_constraints(shape: Shape, value: object, where: str) -> Iterator[tuple[str, str]]:
    enum, pattern = getattr(shape, "enum", None), shape.metadata.get("pattern")
    if enum and value not in enum:
        yield where, f"{json.dumps(value)} is none of {enum}"
    if pattern and not re.fullmatch(pattern, value):
        yield where, f"{json.dumps(value)} does not match {pattern}"
    size = len(value) if hasattr(value, "__len__") else value
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(size, (int, float)) and least is not None and size < least:
        yield where, f"{size} is less than {least}"
    if isinstance(size, (int, float)) and most is not None and size > most:
        yield where, f"{size} is more than {most}"
