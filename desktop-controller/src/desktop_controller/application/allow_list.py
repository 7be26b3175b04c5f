"""What may be run: the catalogue, asked before anything is stored."""

from collections.abc import Mapping

from pydantic import JsonValue

from desktop_controller.domain.events.host_commands import Argument
from desktop_controller.integration.ports import Catalogue, CatalogueEntry, Redactor
from neuroglia.core import FieldError, InvalidRequest, NotFoundError


class AllowList:
    """Finds an allowed command, and refuses what none of its parameters takes."""

    def __init__(self, catalogue: Catalogue, redactor: Redactor) -> None:
        self.catalogue = catalogue
        self.redactor = redactor

    def entry(self, name: str) -> CatalogueEntry | None:
        """The allowed command of this name."""
        return next((entry for entry in self.catalogue.entries() if entry.name == name), None)

    def check(self, name: str, arguments: Mapping[str, JsonValue]) -> tuple[CatalogueEntry, Mapping[str, Argument]]:
        """The allowed command, and its arguments.

        Arguments go into the audit trail as they are, for they are what is run: so a secret in them is refused.

        Raises:
            InvalidRequest: there is no such command, or an argument does not fit.
        """
        entry = self.entry(name)
        if entry is None:
            raise InvalidRequest([FieldError("/command", "unknown-command", "The catalogue has no such command.")])
        try:
            self.catalogue.argv(name, arguments)
        except NotFoundError:
            raise InvalidRequest([FieldError("/command", "unknown-command", "It is not allowed any more.")]) from None
        plain: dict[str, Argument] = {}
        errors: list[FieldError] = []
        for argument, value in arguments.items():
            pointer = f"/arguments/{argument.replace('~', '~0').replace('/', '~1')}"
            if not isinstance(value, str | int | float):
                errors.append(FieldError(pointer, "scalar", "An argument is a text, a number or a truth value."))
            elif isinstance(value, str) and self.redactor.text(value) != value:
                errors.append(FieldError(pointer, "secret", "This would write a secret down."))
            else:
                plain[argument] = value
        if errors:
            raise InvalidRequest(errors)
        return entry, plain
