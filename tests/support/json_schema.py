"""Checks a value against the part of JSON Schema that our OpenAPI documents use."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": int,
}
_KNOWN = {
    "$ref", "additionalProperties", "anyOf", "const", "default", "description", "enum", "examples", "format", "items",
    "maxLength", "maximum", "minLength", "minimum", "pattern", "properties", "required", "title", "type",
}  # fmt: skip


def mismatches(document: Mapping[str, Any], schema: Mapping[str, Any], value: Any, path: str = "$") -> list[str]:
    """What of the value is not as the schema says; `document` holds the schema's references.

    Unlike a validator, this finds fields that the schema does not name, and refuses keywords that it cannot check.
    """
    assert not set(schema) - _KNOWN, f"{path}: cannot check {set(schema) - _KNOWN}"
    if not schema:  # any JSON
        return []
    if reference := schema.get("$ref"):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        return mismatches(document, target, value, path)
    if choices := schema.get("anyOf"):
        found = [mismatches(document, choice, value, path) for choice in choices]
        return [] if [] in found else [f"{path}: fits none of {len(choices)}: {found}"]
    if "const" in schema and value != schema["const"]:
        return [f"{path}: {value!r} is not {schema['const']!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: {value!r} is none of {schema['enum']}"]
    kind = schema.get("type")
    if kind is not None and (
        not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind in {"integer", "number"})
    ):
        return [f"{path}: {value!r} is no {kind}"]
    match value:
        case dict():
            return _object(document, schema, value, path)
        case list():
            return [
                found
                for index, item in enumerate(value)
                for found in mismatches(document, schema["items"], item, f"{path}[{index}]")
            ]
        case str():
            return _text(schema, value, path)
        case _:
            return []


def _object(document: Mapping[str, Any], schema: Mapping[str, Any], value: dict[str, Any], path: str) -> list[str]:
    properties = schema.get("properties", {})
    found = [f"{path}: lacks {name}" for name in schema.get("required", []) if name not in value]
    for name, part in value.items():
        if name in properties:
            found += mismatches(document, properties[name], part, f"{path}.{name}")
        elif isinstance(more := schema.get("additionalProperties"), Mapping):
            found += mismatches(document, more, part, f"{path}.{name}")
        elif more is not True:
            found.append(f"{path}: {name} is not described")
    return found


def _text(schema: Mapping[str, Any], value: str, path: str) -> list[str]:
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return [f"{path}: {value!r} does not match {schema['pattern']}"]
    if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        return [f"{path}: {value!r} is no moment"]
    return []
