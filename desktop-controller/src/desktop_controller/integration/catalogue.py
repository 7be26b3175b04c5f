"""The catalogue of allowed commands: a TOML file, read once.

    [commands.show-log]
    description = "The last lines of a log"
    argv = ["tail", "--lines={lines}", "{file}"]
    timeout_seconds = 10

    [commands.show-log.parameters.lines]
    type = "integer"                            # minimum, maximum
    minimum = 1
    maximum = 500

    [commands.show-log.parameters.file]
    type = "path"                               # root; besides there are enum (values) and text (pattern, max_length)
    root = "/var/log"

The program is fixed: its place takes no parameter. A value at the beginning of an element that begins with "-" would
reach the program as an option of the caller's choice: it is refused, unless the parameter says `allow_dash = true`. A
value that is empty leaves the beginning to the next one.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from desktop_controller.integration.parameters import NotAllowed, Parameter, PathParameter
from desktop_controller.integration.ports import CatalogueEntry
from desktop_controller.integration.templates import Template
from neuroglia.core.errors import ConfigurationError, FieldError, InvalidRequest, NotFoundError

_SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"


class Definition(BaseModel):
    """One command of the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    description: str
    argv: Annotated[list[str], Field(min_length=1)]
    timeout_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    version: Annotated[str, Field(min_length=1)] = "1"
    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], Parameter] = Field(default_factory=dict)

    @cached_property
    def templates(self) -> Sequence[Template]:
        """The elements of argv."""
        return [Template(element) for element in self.argv]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        program, *_ = self.templates
        if program.names or not self.argv[0]:
            raise ValueError("the first argv element is the program and takes no parameter: write its name")
        used = {name for template in self.templates for name in template.names}
        for name in sorted(used - self.parameters.keys()):
            raise ValueError(f"argv uses {{{name}}}, which is no parameter: define it or correct the name")
        for name in sorted(self.parameters.keys() - used):
            raise ValueError(f"parameter '{name}' stands nowhere in argv: use or remove it")
        for name in sorted({name for template in self.templates for name in self._exposed(template)}):
            if self.parameters[name].may_be_dashed and not self.parameters[name].allow_dash:
                raise ValueError(
                    f"parameter '{name}' has values that begin with '-', which the program can take for options: "
                    "write a text before it, or say allow_dash = true"
                )
        return self

    def check(self, arguments: Mapping[str, JsonValue], *, resolve: bool) -> Sequence[str]:
        """argv with these arguments: the only way in which any of them gets there."""
        errors = [_error(name, "unknown", "There is no such parameter.") for name in arguments.keys() - self.parameters]
        values: dict[str, str] = {}
        for name, parameter in self.parameters.items():
            if name not in arguments:
                errors.append(_error(name, "missing", "It is required."))
                continue
            try:
                value = parameter.check(arguments[name])
                if resolve and isinstance(parameter, PathParameter):
                    value = parameter.resolved(value)
            except NotAllowed as error:
                errors.append(_error(name, error.code, str(error)))
            else:
                values[name] = value
        dashed = {self._beginning(template, values) for template in self.templates}
        errors += [
            _error(name, "dash", "It must not begin with '-'.")
            for name, value in values.items()
            if value.startswith("-") and name in dashed and not self.parameters[name].allow_dash
        ]
        if errors:
            raise InvalidRequest(sorted(errors, key=lambda error: error.pointer))
        return [template.filled(values) for template in self.templates]

    def _exposed(self, template: Template) -> Sequence[str]:
        """The parameters whose values can begin this element: the next one can where all before it can be empty."""
        filled = (number for number, name in enumerate(template.leading) if not self.parameters[name].may_be_empty)
        return template.leading[: next(filled, len(template.leading)) + 1]

    def _beginning(self, template: Template, values: Mapping[str, str]) -> str | None:
        """The parameter whose value begins this element. One that is missing is refused anyway."""
        return next((name for name in template.leading if values.get(name)), None)

    def entry(self, name: str) -> CatalogueEntry:
        """What is told about it."""
        definition = {"name": name, **self.model_dump(mode="json")}
        canonical = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return CatalogueEntry(
            name=name,
            description=self.description,
            parameters=self._schema(),
            timeout_seconds=self.timeout_seconds,
            version=self.version,
            sha256=hashlib.sha256(canonical.encode()).hexdigest(),
        )

    def _schema(self) -> Mapping[str, JsonValue]:
        properties: dict[str, JsonValue] = {
            name: {
                **parameter.schema_keywords(),
                **({"description": parameter.description} if parameter.description else {}),
            }
            for name, parameter in self.parameters.items()
        }
        return {
            "$schema": _SCHEMA,
            "type": "object",
            "properties": properties,
            "required": [*self.parameters],
            "additionalProperties": False,
        }


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    commands: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")], Definition]


class TomlCatalogue:
    """The commands of a file.

    Attributes:
        resolve: whether paths are those of this machine, and their symbolic links can be followed here. Else only their
            text is checked.
    """

    def __init__(self, file: Path, *, resolve: bool) -> None:
        self.resolve = resolve
        self._commands = _read(file)
        if resolve:
            _require_roots(self._commands)
        self._entries = [definition.entry(name) for name, definition in sorted(self._commands.items())]

    def entries(self) -> Sequence[CatalogueEntry]:
        return self._entries

    def argv(self, name: str, arguments: Mapping[str, JsonValue]) -> Sequence[str]:
        definition = self._commands.get(name)
        if definition is None:
            raise NotFoundError("command", name)
        return definition.check(arguments, resolve=self.resolve)


def _error(name: str, code: str, detail: str) -> FieldError:
    escaped = name.replace("~", "~0").replace("/", "~1")  # RFC 6901, section 3
    return FieldError(f"/arguments/{escaped}", code, detail)


def _read(file: Path) -> Mapping[str, Definition]:
    try:
        content: Mapping[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return _File.model_validate(content).commands
    except ValidationError as error:
        found = error.errors()[0]
        raise ConfigurationError(f"COMMANDS_FILE: {_place(found['loc'])}{found['msg']}") from None
    except OSError as error:
        raise ConfigurationError(f"COMMANDS_FILE: {file} cannot be read ({error.strerror}): give its path") from None
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise ConfigurationError(f"COMMANDS_FILE: {file} is no TOML ({error}): correct it") from None


def _require_roots(commands: Mapping[str, Definition]) -> None:
    for name, definition in commands.items():
        for parameter, type in definition.parameters.items():
            if isinstance(type, PathParameter) and not Path(type.root).is_dir():
                raise ConfigurationError(
                    f"COMMANDS_FILE: command '{name}', parameter '{parameter}': there is no folder {type.root}: "
                    "create it or correct root"
                )


def _place(location: Sequence[int | str]) -> str:
    """`command 'x', parameter 'y', minimum: ` from where pydantic has found it."""
    match [str(part) for part in location]:
        case ["commands", command, "parameters", parameter, *rest]:
            told = [f"command '{command}'", f"parameter '{parameter}'", *rest[1:]]
        case ["commands", command, *rest]:
            told = [f"command '{command}'", *rest]
        case rest:
            told = rest
    return ", ".join(told) + ": " if told else ""
