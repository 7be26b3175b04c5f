"""Modules that a test makes up."""

from types import ModuleType


def module(name: str, *members: object) -> ModuleType:
    """A module as if these members, which carry `name` as their module, stood in it alone."""
    made = ModuleType(name)
    for index, member in enumerate(members):
        setattr(made, f"member_{index}", member)
    return made
