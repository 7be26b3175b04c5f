"""One way to write values as JSON: pydantic over plain dataclasses and models, with fixed-width UTC times."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer, SchemaValidator, core_schema
from typing_extensions import TypeForm

from neuroglia.core.clock import format_utc
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import name_of

T = TypeVar("T")


class JsonCodec(Generic[T]):
    """Encodes and decodes one type.

    Times must be timezone-aware and are written as `2025-01-31T09:30:00.123456Z`, so that text order is time
    order in every store. Decimals are written as text, enums by value, None is kept.
    """

    def __init__(self, kind: TypeForm[T]) -> None:
        """Reads the type.

        Raises:
            ConfigurationError: it names what is not there, as something imported for type checkers alone.
        """
        if not (adapter := TypeAdapter(kind)).pydantic_complete:
            raise ConfigurationError(f"{name_of(kind)}: a type in it is unknown; import it at the top of the module")
        schema = _with_utc_times(adapter.core_schema)
        # a pydantic model brings a serializer of its own, which knows nothing of this schema: do without
        self._validator = SchemaValidator(schema, _use_prebuilt=False)
        self._serializer = SchemaSerializer(schema, _use_prebuilt=False)

    def encode(self, value: T) -> bytes:
        """The value as JSON.

        Raises:
            ValueError: it holds a naive time, text that is not Unicode, or a value of another type than declared.
        """
        return self._serializer.to_json(value, warnings="error")  # else it could be written and never read

    def decode(self, data: bytes | str) -> T:
        """The value in this JSON.

        Raises:
            ValueError: it is no JSON, or does not fit the type.
        """
        return self._validator.validate_json(data)  # type: ignore[no-any-return]

    def decode_mapping(self, data: Mapping[str, Any]) -> T:
        """The value in JSON that is already parsed.

        Raises:
            ValueError: it does not fit the type.
        """
        return self._validator.validate_python(data)  # type: ignore[no-any-return]


def _with_utc_times(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_utc_times(part) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    parts = cast("dict[str, Any]", schema)
    if parts.get("type") == "datetime":
        as_text = core_schema.plain_serializer_function_ser_schema(format_utc, when_used="json")
        return {**parts, "tz_constraint": "aware", "serialization": as_text}
    return {name: part if name == "metadata" else _with_utc_times(part) for name, part in parts.items()}
