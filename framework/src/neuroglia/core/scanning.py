"""Finding what a package declares: at all depths, in a fixed order, with import errors that stop the start."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TypeVar, get_origin

from typing_extensions import TypeForm

from neuroglia.core.errors import ConfigurationError

T = TypeVar("T")


def import_modules(package: str | ModuleType) -> Sequence[ModuleType]:
    """The package and all modules below it, sorted by name.

    Raises:
        ConfigurationError: one of them cannot be imported.
    """
    root = package if isinstance(package, ModuleType) else _import(package)
    names = [root.__name__]
    if hasattr(root, "__path__"):
        names += _walk(root.__path__, f"{root.__name__}.")
    return [_import(name) for name in sorted(names)]


def _walk(path: Sequence[str], prefix: str) -> Iterator[str]:
    for found in pkgutil.iter_modules(path, prefix):
        yield found.name
        if found.ispkg:
            yield from _walk(_import(found.name).__path__, f"{found.name}.")


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ConfigurationError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def classes(modules: Sequence[ModuleType], base: TypeForm[T]) -> Sequence[type[T]]:
    """The concrete subclasses of `base` that these modules themselves define, in the order of their lines."""
    return [
        cls
        for module in modules
        for cls in vars(module).values()
        if inspect.isclass(cls)
        and cls.__module__ == module.__name__
        and issubclass(cls, get_origin(base) or base)  # type: ignore[arg-type]
        and not inspect.isabstract(cls)
    ]


def functions(modules: Sequence[ModuleType], marker: str) -> Sequence[object]:
    """The functions and objects of these modules that carry the attribute `marker`, in the order of their lines."""
    return [
        member
        for module in modules
        for member in vars(module).values()
        if getattr(member, "__module__", None) == module.__name__ and hasattr(member, marker)
    ]
