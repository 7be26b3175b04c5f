"""The types that a command's parameter can have. Each has one `check`, and there is no way around it."""

import os
import re
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from typing_extensions import override

from desktop_controller.integration.repositories.paths import InvalidPath, split_path

_LONGEST_TEXT: Final = 4096


class NotAllowed(Exception):
    """A value does not fit: the code and the sentence of its error."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class ParameterType(BaseModel):
    """What all of them can say.

    Attributes:
        allow_dash: whether a value that begins with "-" may stand at the beginning of an argument, where the program
            can take it for an option.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    description: str = ""
    allow_dash: bool = False

    @abstractmethod
    def check(self, value: JsonValue) -> str:
        """The value as the program gets it.

        Raises:
            NotAllowed: it does not fit.
        """

    @abstractmethod
    def schema_keywords(self) -> Mapping[str, JsonValue]:
        """The same in JSON Schema, as far as that can say it."""

    @property
    def may_be_dashed(self) -> bool:
        """Whether it is known by the definition alone that values begin with "-"."""
        return False

    @property
    def may_be_empty(self) -> bool:
        """Whether a value can be the empty text, so that what follows it begins the argument."""
        return False


class IntegerParameter(ParameterType):
    """A whole number of a range."""

    type: Literal["integer"]
    minimum: int
    maximum: int

    @model_validator(mode="after")
    def _not_reversed(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}: exchange them")
        return self

    @override
    def check(self, value: JsonValue) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            raise NotAllowed("integer", "It must be a whole number.")
        if not self.minimum <= value <= self.maximum:
            raise NotAllowed("range", f"It must be from {self.minimum} to {self.maximum}.")
        return str(value)

    @override
    def schema_keywords(self) -> Mapping[str, JsonValue]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    @property
    @override
    def may_be_dashed(self) -> bool:
        return self.minimum < 0


class EnumParameter(ParameterType):
    """One of some texts."""

    type: Literal["enum"]
    values: Annotated[list[str], Field(min_length=1)]

    @model_validator(mode="after")
    def _plain(self) -> Self:
        if len(set(self.values)) < len(self.values):
            raise ValueError("a value stands twice in values: remove one")
        if any("\0" in value for value in self.values):
            raise ValueError("a value contains NUL, which no program can be given: remove it")
        return self

    @override
    def check(self, value: JsonValue) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise NotAllowed("enum", f"It must be one of {', '.join(self.values)}.")
        return value

    @override
    def schema_keywords(self) -> Mapping[str, JsonValue]:
        return {"type": "string", "enum": [*self.values]}

    @property
    @override
    def may_be_dashed(self) -> bool:
        return any(value.startswith("-") for value in self.values)

    @property
    @override
    def may_be_empty(self) -> bool:
        return "" in self.values


class TextParameter(ParameterType):
    """A text that a regular expression matches as a whole. The length bounds what a slow expression can cost."""

    type: Literal["text"]
    pattern: str
    max_length: Annotated[int, Field(ge=1, le=_LONGEST_TEXT)] = 256

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            re.compile(f"(?:{self.pattern})")
        except re.error as error:
            raise ValueError(f"pattern is no regular expression ({error}): correct it") from None
        return self

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self.pattern})")

    @override
    def check(self, value: JsonValue) -> str:
        if not isinstance(value, str):
            raise NotAllowed("string", "It must be a text.")
        if len(value) > self.max_length:
            raise NotAllowed("too-long", f"It must have at most {self.max_length} characters.")
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise NotAllowed("pattern", "It contains what no program can be given.")
        if not self._regex.fullmatch(value):
            raise NotAllowed("pattern", f"It must match {self.pattern}")
        return value

    @override
    def schema_keywords(self) -> Mapping[str, JsonValue]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.max_length}

    @property
    @override
    def may_be_empty(self) -> bool:
        return self._regex.fullmatch("") is not None


class PathParameter(ParameterType):
    """A path below a folder, told relative to it. The program gets it absolute, without any symbolic link."""

    type: Literal["path"]
    root: str

    @model_validator(mode="after")
    def _absolute(self) -> Self:
        if not self.root.startswith("/") or "\0" in self.root:
            raise ValueError(f"root {self.root!r} is not absolute: let it begin with /")
        return self

    @override
    def check(self, value: JsonValue) -> str:
        if not isinstance(value, str):
            raise NotAllowed("string", "It must be a path.")
        try:
            parts = split_path(value)
        except InvalidPath as error:
            raise NotAllowed("path", str(error)) from None
        return os.path.join(self.root, *parts)

    def resolved(self, path: str) -> str:
        """A checked path on this machine, with all symbolic links followed: one that leads out is refused here. What is
        changed after that, only the permissions of the program's user can bound.

        Raises:
            NotAllowed: it leads out.
        """
        root, real = os.path.realpath(self.root), os.path.realpath(path)
        if os.path.commonpath([root, real]) != root:
            raise NotAllowed("path", "It leads out of its folder.")
        return real

    @override
    def schema_keywords(self) -> Mapping[str, JsonValue]:
        return {"type": "string", "minLength": 1, "maxLength": _LONGEST_TEXT, "pattern": r"^[^/\u0000][^\u0000]*$"}


Parameter = Annotated[IntegerParameter | EnumParameter | TextParameter | PathParameter, Field(discriminator="type")]
