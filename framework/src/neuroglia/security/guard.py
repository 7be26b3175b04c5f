"""The guard: finds out who asks, and whether they may. There is no way past it, and no switch that turns it off."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.datastructures import Headers

from neuroglia.core.context import Principal
from neuroglia.core.errors import Forbidden, Unauthenticated


class Scheme(ABC):
    """One kind of credentials."""

    name: ClassVar[str]
    challenge: ClassVar[str]
    """How a caller without credentials is asked for these (RFC 9110, section 11.6.1)."""

    @abstractmethod
    def description(self) -> Mapping[str, Any]:
        """The OpenAPI security scheme object (OpenAPI 3.1.0, section 4.8.27)."""

    @abstractmethod
    async def authenticate(self, headers: Headers) -> Principal | None:
        """Whose credentials these are; None: the request has none of this kind.

        Raises:
            Unauthenticated: they cannot be believed.
            Unavailable: nobody can tell at the moment.
        """


class NoCredentials(Unauthenticated):
    """The request says not who sends it."""

    def __init__(self, challenge: str) -> None:
        super().__init__("This needs credentials.")
        self.challenge = challenge


class MissingScope(Forbidden):
    """The caller is known, and holds none of the scopes that would do."""

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(f"This needs the scope {' or '.join(scopes)}.")
        self.challenge = f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"'
        """RFC 6750, section 3.1."""


class Guard:
    """Stands before every endpoint: before its body is read, and before anything of its parameters is looked at."""

    def __init__(self, schemes: list[Scheme]) -> None:
        self.schemes = schemes

    async def admit(self, headers: Headers, scopes: Sequence[str]) -> Principal:
        """Who asks, if they hold one of these scopes.

        Raises:
            Unauthenticated, Forbidden, Unavailable: they may not pass.
        """
        for scheme in self.schemes:
            principal = await scheme.authenticate(headers)
            if principal is not None:
                if principal.scopes.isdisjoint(scopes):
                    raise MissingScope(scopes)
                return principal
        raise NoCredentials(", ".join(scheme.challenge for scheme in self.schemes))
