"""Reading types at run time: what `class H(CommandHandler[Open, Account])` says about its base, and what to call it."""

import re
from types import NoneType, UnionType
from typing import Any, Generic, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

from neuroglia.core.errors import ConfigurationError


def arguments(form: Any, base: type) -> tuple[Any, ...] | None:
    """The type arguments that a class or alias gives to the generic `base`; None when it is not one.

    `class Cats(Repository[Cat])` gives `(Cat,)` to `Repository`. Type variables that nobody has filled stay in the
    answer. Only real bases count, not what a protocol or an ABC would take for one.
    """
    origin = get_origin(form) or form
    if origin is base:
        return get_args(form) or getattr(origin, "__parameters__", ())
    if not isinstance(origin, type) or base not in origin.__mro__:
        return None
    bindings = dict(zip(getattr(origin, "__parameters__", ()), get_args(form), strict=False))
    for parent in vars(origin).get("__orig_bases__", origin.__bases__):  # its own: the attribute may be inherited
        if (found := arguments(substitute(parent, bindings), base)) is not None:
            return found
    return ()


def annotations(form: Any, *, extras: bool = False) -> dict[str, Any]:
    """The annotations of a function or class; with `extras`, including what `Annotated` adds.

    Raises:
        ConfigurationError: one names what is not there, as something imported for type checkers alone.
    """
    try:
        return get_type_hints(form, include_extras=extras)
    except NameError as error:
        raise ConfigurationError(f"{form.__qualname__}: {error}; import it at the top of the module") from None


def substitute(form: Any, bindings: dict[Any, Any]) -> Any:
    """`form` with its type variables replaced: `Repository[A]` and `{A: Account}` give `Repository[Account]`."""
    if isinstance(form, TypeVar):
        return bindings.get(form, form)
    parameters = getattr(form, "__parameters__", ())
    if not parameters or get_origin(form) in {None, Generic, Protocol}:
        return form
    return form[tuple(bindings.get(parameter, parameter) for parameter in parameters)]


def class_bindings(form: Any) -> dict[Any, Any]:
    """What each type variable of a class or alias, and of all its generic bases, stands for."""
    bindings: dict[Any, Any] = {}
    for base in (get_origin(form) or form).__mro__:
        for variable, value in zip(getattr(base, "__parameters__", ()), arguments(form, base) or (), strict=False):
            bindings.setdefault(variable, value)
    return bindings


def is_variable(form: Any) -> bool:
    """Whether this is a type variable that nobody has filled."""
    return isinstance(form, TypeVar)


def name_of(form: Any) -> str:
    """A type as a reader would write it: `Repository[BankAccount]`, `str | None`."""
    inner, origin = get_args(form), get_origin(form)
    if form is NoneType:
        return "None"
    if origin in {Union, UnionType}:
        return " | ".join(map(name_of, inner))
    plain = getattr(origin or form, "__name__", None) or str(form)
    return f"{plain}[{', '.join(name_of(argument) for argument in inner)}]" if inner else plain


def words(kind: type[Any]) -> str:
    """A class as people say it: `BankAccount` and `BankAccountDto` are a "bank account"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__.removesuffix("Dto")).lower()
