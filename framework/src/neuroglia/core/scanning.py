"""Finding what a package declares: at all depths, in a fixed order, with import errors that stop the start."""

import importlib
import inspect
import pkgutil
import traceback
from abc import ABC
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, get_origin

from typing_extensions import TypeForm

from neuroglia.core.errors import ConfigurationError

T = TypeVar("T")


def import_modules(package: str | ModuleType) -> Sequence[ModuleType]:
    """The package and all modules below it, sorted by name.

    Raises:
        ConfigurationError: one of them cannot be imported.
    """
    root = package if isinstance(package, ModuleType) else _import(package)
    below = _walk(root.__path__, f"{root.__name__}.") if hasattr(root, "__path__") else ()
    return [_import(name) for name in sorted([root.__name__, *below])]


def _walk(path: Sequence[str], prefix: str) -> Iterator[str]:
    found = {module.name: module.ispkg for module in pkgutil.iter_modules(path)}
    for folder in (folder for root in path for folder in Path(root).iterdir()):
        if folder.name not in found and folder.name.isidentifier() and any(folder.rglob("*.py")):
            found[folder.name] = True  # a forgotten `__init__.py` must not hide what is below
    for name, is_package in found.items():
        yield prefix + name
        if is_package:
            yield from _walk(_import(prefix + name).__path__, f"{prefix}{name}.")


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        why = f"{type(error).__name__}: {error}{_place(error)}"
        raise ConfigurationError(f"{name} cannot be imported: {why}") from error


def _place(error: Exception) -> str:
    """The module and line where it went wrong: often one that the module imports."""
    running = [(f, line) for f, line in traceback.walk_tb(error.__traceback__) if f.f_code.co_name == "<module>"]
    return f" (in {running[-1][0].f_globals['__name__']}, line {running[-1][1]})" if running else ""


def classes(modules: Sequence[ModuleType], base: TypeForm[T]) -> Sequence[type[T]]:
    """The concrete subclasses of `base` that these modules themselves define, in the order of their lines.

    Raises:
        ConfigurationError: one has abstract methods left, and nothing says that it is meant as a base of others.
    """
    kind: type[T] = get_origin(base) or base  # type: ignore[assignment]
    found = (member for module in modules for member in _own(module) if inspect.isclass(member))
    return [cls for cls in found if issubclass(cls, kind) and _is_concrete(cls)]


def _is_concrete(cls: type[Any]) -> bool:
    """Whether it can be made. What only lacks a method, forgotten or misspelt, must not pass for a base of others."""
    missing: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
    is_base = ABC in cls.__bases__ or getattr(cls, "__parameters__", None) or cls.__subclasses__()
    if missing and not is_base and not missing & vars(cls).keys():
        told = f"has no {', '.join(sorted(missing))}; write what is missing"
        raise ConfigurationError(f"{cls.__name__}: {told}, or derive it from ABC, too, if it is a base of others")
    return not missing


def functions(modules: Sequence[ModuleType], marker: str) -> Sequence[object]:
    """The functions and objects of these modules that carry the attribute `marker`, in the order of their lines."""
    return [member for module in modules for member in _own(module) if hasattr(member, marker)]


def _own(module: ModuleType) -> Sequence[object]:
    """What a module itself defines, each thing once, whatever further names it has."""
    members = [member for member in vars(module).values() if getattr(member, "__module__", None) == module.__name__]
    return list({id(member): member for member in members}.values())
