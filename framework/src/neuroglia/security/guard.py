"""The guard: finds out who asks, and whether they may. There is no way past it, and no switch that turns it off."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from starlette.datastructures import Headers

from neuroglia.core.context import Principal
from neuroglia.core.errors import Forbidden, Unauthenticated

KEY_HOLDER: Final = "key:"
"""So begins the id of who shows an API key: no token's subject may, or one could be taken for the other."""


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

    async def admitted(self, principal: Principal) -> None:  # noqa: B027 - most schemes have no such word to say
        """They hold the scope: the last word before they pass. It comes last, so that only who may ask learns more.

        Raises:
            TooManyRequests: they have asked too often.
        """


class NoCredentials(Unauthenticated):
    """The request says not who sends it, or names two."""

    def __init__(self, detail: str, schemes: Sequence[Scheme]) -> None:
        super().__init__(detail)
        self.challenge = ", ".join(scheme.challenge for scheme in schemes)


class MissingScope(Forbidden):
    """The caller is known, and holds none of the scopes that would do."""

    def __init__(self, scopes: Sequence[str], scheme: Scheme) -> None:
        super().__init__(f"This needs the scope {' or '.join(scopes)}.")
        self.challenge = f'{scheme.challenge} error="insufficient_scope", scope="{" ".join(scopes)}"'
        """RFC 6750, section 3.1."""


class Guard:
    """Stands before every endpoint: before its body is read, and before anything of its parameters is looked at."""

    def __init__(self, schemes: list[Scheme]) -> None:
        self.schemes = schemes

    async def admit(self, headers: Headers, scopes: Sequence[str]) -> Principal:
        """Who asks, if they hold one of these scopes.

        Who shows two kinds of credentials is refused, good as both may be: nobody could say whose request it was.

        Raises:
            Unauthenticated, Forbidden, TooManyRequests, Unavailable: they may not pass.
        """
        match [(scheme, who) for scheme in self.schemes if (who := await scheme.authenticate(headers)) is not None]:
            case []:
                raise NoCredentials("This needs credentials.", self.schemes)
            case [(scheme, principal)]:
                if principal.scopes.isdisjoint(scopes):
                    raise MissingScope(scopes, scheme)
                await scheme.admitted(principal)
                return principal
            case _:
                raise NoCredentials("Send one kind of credentials, not several at once.", self.schemes)
