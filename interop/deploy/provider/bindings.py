"""The schema of Terraform's AWS provider, read from its generated JavaScript bindings, the one form in which a package registry has
it: names, types, what is required, optional or computed, how blocks nest. What the bindings do not have is not here either: which
values an attribute takes, which arguments exclude one another, what is sensitive."""

import functools
import re
from pathlib import Path

#: `name - computed: true, optional: false, required: false`: a comment above each property.
PROPERTY = re.compile(r"^ +// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)$", re.M)
CLASS = re.compile(r"^class (\w+) extends cdktn\.(\w+) \{(.*?)^\}", re.S | re.M)
#: How a nested block is written out: a function beside its class.
WRITER = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", re.S | re.M)
#: How one member is written out, within that function or the resource's own.
MEMBER = re.compile(r'^ +(\w+): \{\s+value: .*?isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "(\w+)"', re.S | re.M)
#: Members that are lists of objects and no blocks all the same. Terraform lets them be written as blocks; none at all is null then.
OBJECTS = re.compile(r"^ +(\w+): \{\s+value: cdktn\.listMapperHcl\(\w+, false\)", re.M)
#: What a property is read by: an object of another class, or a typed accessor.
OBJECT = re.compile(r'= new (cdktn\.)?(\w+)\(this, "\w+"(?:, (true|false))?')
ACCESSOR = re.compile(r"return (cdktn\.Fn\.tolist\()?this\.(\w+)\(")

MAPS = {
    "StringMap": ["map", "string"],
    "BooleanMap": ["map", "bool"],
    "NumberMap": ["map", "number"],
    "StringListMap": ["map", ["list", "string"]],
    "StringMapList": ["list", ["map", "string"]],
    "AnyMap": ["map", "string"],
}
ACCESSORS = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getStringMapAttribute": ["map", "string"],
    "getBooleanMapAttribute": ["map", "bool"],
    "getNumberMapAttribute": ["map", "number"],
}
ELEMENTS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}


class Bindings:
    """The bindings of one resource, data source or the provider: one JavaScript file."""

    def __init__(self, path: Path) -> None:
        source = path.read_text()
        self.classes = {name: (kind, body) for name, kind, body in CLASS.findall(source)}
        self.writers = {name.lower(): members(body) for name, body in WRITER.findall(source)}

    def schema(self) -> dict:
        """Its own block, whatever kind it is."""
        [(name, kind)] = [
            (name, kind)
            for name, (kind, _) in self.classes.items()
            if kind in ("TerraformResource", "TerraformDataSource", "TerraformProvider")
        ]
        return self._provider(name) if kind == "TerraformProvider" else self._block(name)

    def _block(self, name: str) -> dict:
        body = self.classes[name][1]
        written = members(body) or self.writers.get(name.removesuffix("OutputReference").lower(), {})
        attributes = set(OBJECTS.findall(body))
        block = {"attributes": {}, "blocks": {}}
        for attribute, flags, code in properties(body):
            member = written.get(attribute)
            reads = OBJECT.search(code)
            if attribute in attributes:
                block["attributes"][attribute] = {"type": self._object(reads[2], reads[3] == "true"), **flags}
            elif member and member[0] and reads and not reads[1] and not reads[2].endswith("Map"):
                block["blocks"][attribute] = self._nested(member[1], reads[2], reads[3] == "true", flags["required"])
            else:
                block["attributes"][attribute] = {"type": self._type(code, member), **flags}
        return block

    def _nested(self, written_as: str, name: str, of_set: bool, required: bool) -> dict:
        """A nested block. One that occurs once at most is written as a list all the same by older parts of the provider."""
        one = not name.endswith("List")
        nesting = "single" if written_as == "struct" else "set" if of_set or written_as == "set" else "list"
        block = self._block(name if one else name.removesuffix("List") + "OutputReference")
        listed = nesting != "single"
        return {"nesting": nesting, "min": int(required and listed), "max": int(one and listed), "block": block}

    def _type(self, code: str, member: tuple | None):
        if reads := OBJECT.search(code):
            library, name, of_set = reads[1], reads[2], reads[3] == "true"
            return MAPS.get(name, "dynamic") if library else self._object(name, of_set)
        accessor = ACCESSOR.search(code)
        if accessor and accessor[2] in ACCESSORS:
            return ACCESSORS[accessor[2]]
        if accessor and accessor[2] in ("getListAttribute", "getNumberListAttribute"):
            return ["set" if accessor[1] else "list", "number" if "Number" in accessor[2] else "string"]
        return written_type(member) if member else "dynamic"

    def _object(self, name: str, of_set: bool):
        """The type of an attribute that is an object, a list or a map of objects: computed ones, mostly."""
        for suffix, collection in (("List", "set" if of_set else "list"), ("Map", "map")):
            element = name.removesuffix(suffix) + "OutputReference"
            if name.endswith(suffix) and element in self.classes:
                return [collection, self._object(element, False)]
        return ["object", {attribute: self._type(code, None) for attribute, _, code in properties(self.classes[name][1])}]

    def _provider(self, name: str) -> dict:
        """The provider's own configuration; its blocks have no classes, only functions that write them out."""
        block = self._block(name)
        for attribute, (is_block, written_as, storage) in members(self.classes[name][1]).items():
            if is_block:
                of = self.writers.get(storage.removesuffix("List").lower(), {})
                attributes = {each: {"type": written_type(member), **OPTIONAL} for each, member in of.items() if not member[0]}
                nested = {"attributes": attributes, "blocks": {}}
                block["attributes"].pop(attribute, None)
                block["blocks"][attribute] = {"nesting": written_as, "min": 0, "max": 0, "block": nested}
        return block


OPTIONAL = {"computed": False, "optional": True, "required": False}


def members(body: str) -> dict[str, tuple[bool, str, str]]:
    """Of each member that is written out: whether as a block, as what, and of which type."""
    written = re.search(r"const attrs = \{(.*?)^ +\};", body, re.S | re.M)
    found = MEMBER.findall(written[1]) if written else []
    return {name: (block == "true", kind, storage) for name, block, kind, storage in found}


def properties(body: str) -> list[tuple[str, dict[str, bool], str]]:
    """Each property with its flags and the code that follows, up to the next one's."""
    found = list(PROPERTY.finditer(body))
    ends = [match.start() for match in found[1:]] + [len(body)]
    return [
        (match[1], dict(zip(("computed", "optional", "required"), (flag == "true" for flag in match.groups()[1:]))), body[match.end() : end])
        for match, end in zip(found, ends)
    ]


def written_type(member: tuple[bool, str, str]):
    _, collection, storage = member
    element = ELEMENTS.get(storage.removesuffix("List").removesuffix("Map"), "dynamic")
    return element if collection == "simple" else [collection, element]


@functools.cache
def directories(library: Path) -> dict[str, Path]:
    """The directory of each resource and data source, by the name Terraform has for it: `data-aws-region` for `data.aws_region`."""
    found = {}
    for directory in library.iterdir():
        if directory.is_dir():
            data = directory.name.startswith("data-aws-")
            name = "aws_" + directory.name.removeprefix("data-aws-").replace("-", "_")
            found["data." + name if data else name] = directory
    return found
