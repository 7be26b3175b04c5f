"""What the store has to know of a document type: its collection, its key, and the finds that it must serve."""

import copy
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import Enum
from types import ModuleType
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar, get_args, get_type_hints

from neuroglia.core.codec import JsonCodec
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.scanning import functions
from neuroglia.documents.conditions import Condition

D = TypeVar("D")
_NAME: Final = re.compile(r"(?!.*__)[a-z][a-z0-9_]{0,57}")  # what has a __ is a later generation
_DECLARATION: Final = "__document__"
Index = tuple[str, ...]
Declaration = tuple[str, str, tuple[Index, ...]]


def document(collection: str, *, key: str = "id", indexes: Sequence[str | Index] = ()) -> Callable[[type[D]], type[D]]:
    """Declares a model (pydantic or dataclass) to be stored in a collection.

    Each index is a field, or several: those that are compared for equality first, then those that order. A
    find that no index serves is refused, so that no list grows slow with its collection.
    """

    def decorate(model: type[D]) -> type[D]:
        setattr(model, _DECLARATION, _declaration(collection, key, indexes))
        return model

    return decorate


def is_document(model: type[object]) -> bool:
    """Whether `@document` declares this very class (a subclass declares for itself)."""
    return _DECLARATION in vars(model)


class Kept(NamedTuple):
    """See `keep`."""

    model: type[Any]
    declaration: Declaration


def keep(model: type[Any], collection: str, *, key: str = "id", indexes: Sequence[str | Index] = ()) -> Kept:
    """Declares the same of a class that knows nothing of stores: of an aggregate in a domain that stays pure.

    Give it a name at the top level of a module, where `add_documents` looks: `prompts = keep(Prompt, "prompts")`.
    """
    return Kept(model, _declaration(collection, key, indexes))


def document_types(modules: Sequence[ModuleType]) -> Sequence["DocumentType[Any]"]:
    """All that these modules declare, the classes that they define first."""
    declared = [model for model in functions(modules, _DECLARATION) if inspect.isclass(model) and is_document(model)]
    kept = [member for module in modules for member in vars(module).values() if isinstance(member, Kept)]
    return [*map(DocumentType[Any], declared), *(DocumentType(member.model, member.declaration) for member in kept)]


class DocumentType(Generic[D]):
    """A declared document type."""

    def __init__(self, model: type[D], declaration: Declaration | None = None) -> None:
        """Reads the declaration, unless it is given apart from the class.

        Raises:
            ConfigurationError: there is none, or it names fields that the model does not have.
        """
        declaration = declaration or vars(model).get(_DECLARATION)
        if declaration is None:
            raise ConfigurationError(f'{model.__name__}: is no document; write @document("collection") over it')
        self.model = model
        self.collection: str = declaration[0]
        self.key: str = declaration[1]
        self.indexes: tuple[Index, ...] = declaration[2]
        self.codec: JsonCodec[D] = JsonCodec(model)
        fields, hints = _fields(model), get_type_hints(model)
        self._nullable: set[str] = set()
        for name in {self.key, *(name for index in self.indexes for name in index)}:
            if name in fields:
                self._nullable |= {name} if type(None) in get_args(hints[name]) else set()
                _check_comparable(model, name, hints[name])
            else:
                raise ConfigurationError(f"{model.__name__}: @document names '{name}', which is no field of it")
        if not _NAME.fullmatch(self.collection):
            raise ConfigurationError(f"{model.__name__}: '{self.collection}' is no collection name (a-z, 0-9, _)")

    def at(self, generation: int) -> Self:
        """The same type in the collection of a later generation; the first one is this."""
        if generation == 1:
            return self
        other = copy.copy(self)
        other.collection = f"{self.collection}__{generation}"
        return other

    def key_of(self, document: D) -> str:
        """The document's key."""
        return str(getattr(document, self.key))

    def index_for(self, where: Sequence[Condition], order: Sequence[str]) -> Index:
        """The index that serves a find, its fields in the index's order.

        Raises:
            ConfigurationError: there is none, or the order is unclear; says what to do.
        """
        equal = list(dict.fromkeys(condition.field for condition in where if condition.operator == "="))
        for condition in where:
            if condition.field not in (*equal, *order):
                raise ConfigurationError(f"{self.model.__name__}: order by {condition.field} to find a range of it")
        for name in order:
            if name in self._nullable:  # a cursor could not go on behind None
                raise ConfigurationError(f"{self.model.__name__}: {name} may be None, so it gives no order")
        if not equal and not order:
            return ()
        for index in self.indexes:
            if set(index[: len(equal)]) == set(equal) and index[len(equal) :] == tuple(order):
                return index
        wanted = (*equal, *order)
        raise ConfigurationError(f"{self.model.__name__}: no index serves this find; declare {wanted!r} in @document")


def _declaration(collection: str, key: str, indexes: Sequence[str | Index]) -> Declaration:
    return collection, key, tuple((index,) if isinstance(index, str) else tuple(index) for index in indexes)


def _check_comparable(model: type[Any], name: str, hint: Any) -> None:
    for kind in get_args(hint) or (hint,):
        if isinstance(kind, type) and not issubclass(kind, str | int | date | Enum | type(None)):  # datetime: a date
            raise ConfigurationError(
                f"{model.__name__}: '{name}' is a {kind.__name__}, which stores would order as text; "
                f"index a text, a whole number, a time or an enum"
            )


def _fields(model: type[Any]) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", {})
    return fields
