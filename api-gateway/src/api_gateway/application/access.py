"""Whose prompts are whose."""

from typing import Final

from api_gateway.domain.models.prompt import Prompt
from neuroglia.core import Forbidden, NotFoundError, Principal
from neuroglia.security.guard import KEY_HOLDER

_ADMIN: Final = "gateway:admin"


def caller_of(principal: Principal) -> str:
    """The caller who asks, known by an API key.

    Raises:
        Forbidden: somebody else asks, as with a token of the issuer's.
    """
    if not principal.id.startswith(KEY_HOLDER):
        raise Forbidden("Prompts are sent with an API key.")
    return principal.id.removeprefix(KEY_HOLDER)


def is_admin(principal: Principal) -> bool:
    """Whether they see everybody's prompts. No API key can hold that scope, whatever stands in its document."""
    return _ADMIN in principal.scopes and not principal.id.startswith(KEY_HOLDER)


def require_access(prompt: Prompt, principal: Principal) -> None:
    """Lets pass whose prompt it is, and admins.

    Raises:
        NotFoundError: it is another caller's. They do not learn that there is one.
    """
    if not is_admin(principal) and principal.id != KEY_HOLDER + prompt.caller_id:
        raise NotFoundError("prompt", prompt.id)
