"""`/api-keys`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from api_gateway.api.fields import Id, RequestModel
from api_gateway.application.queries.get_callback_secret import GetCallbackSecret
from neuroglia.mediation import Mediator
from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Moment, Page, delete, get, post
from neuroglia.security.api_keys import ApiKey, ApiKeys, IssuedKey

Permission = Literal["prompts:create", "prompts:read"]
_NO_KEPT_ANSWERS: Final[dict[str, Any]] = {"parameters": []}
"""For OpenAPI: these endpoints take no `Idempotency-Key`. An answer that holds a secret is not kept."""


class ApiKeyRequest(RequestModel):
    """Who gets a key, what they may with it, and how often: such as `60/minute`."""

    caller_id: Id
    permissions: Annotated[list[Permission], Field(min_length=1, max_length=10)]
    rate_limit: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    expires_at: Moment | None = None


class RotationRequest(RequestModel):
    """How long the secret from before is good beside the new one."""

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * 24 * 3600, strict=True)] = 3600


class ApiKeyDto(BaseModel):
    """What is known of a key. `id` is its public prefix."""

    id: str
    caller_id: str
    permissions: Sequence[str]
    rate_limit: str
    expires_at: datetime | None
    created_at: datetime


class IssuedKeyDto(ApiKeyDto):
    """A key with its secrets, which are shown this once: `secret` is the whole text for `X-API-Key`, and with
    `callback_secret` the caller checks the signatures of callbacks."""

    secret: str
    callback_secret: str


class ApiKeysController(ControllerBase, prefix="/api-keys"):
    """Speaks to the keys themselves: a command that is repeated, or whose answer is kept, is nothing for secrets."""

    def __init__(self, mediator: Mediator, keys: ApiKeys) -> None:
        super().__init__(mediator)
        self._keys = keys

    @post(status_code=201, location="/{id}", scopes=["gateway:admin"], openapi_extra=_NO_KEPT_ANSWERS)
    async def issue(self, request: ApiKeyRequest) -> IssuedKeyDto:
        """Issues a key for a caller, and shows its secret this once."""
        issued = await self._keys.issue(request.caller_id, request.permissions, request.rate_limit, request.expires_at)
        return await self._shown(issued)

    @get(scopes=["gateway:admin"])
    async def list(self, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[ApiKeyDto]:
        """Lists the keys without their secrets, oldest first."""
        page = await self._keys.page(limit, cursor)
        return Page(items=[ApiKeyDto(**_known(key)) for key in page.items], next_cursor=page.next_cursor)

    @delete("/{key_id}", scopes=["gateway:admin"], openapi_extra=_NO_KEPT_ANSWERS)
    async def revoke(self, key_id: str) -> None:
        """Ends a key at once."""
        await self._keys.revoke(key_id)

    @post(
        "/{key_id}/rotate", status_code=201, location="/{id}", scopes=["gateway:admin"], openapi_extra=_NO_KEPT_ANSWERS
    )
    async def rotate(self, key_id: str, request: RotationRequest | None = None) -> IssuedKeyDto:
        """Gives a key a new secret, and shows it this once."""
        overlap = timedelta(seconds=(request or RotationRequest()).overlap_seconds)
        return await self._shown(await self._keys.rotate(key_id, overlap))

    async def _shown(self, issued: IssuedKey) -> IssuedKeyDto:
        callback_secret = await self.mediator.execute(GetCallbackSecret(issued.key.caller_id))
        secret = issued.secret.get_secret_value()
        return IssuedKeyDto(**_known(issued.key), secret=secret, callback_secret=callback_secret)


def _known(key: ApiKey) -> dict[str, Any]:
    return key.model_dump(include={*ApiKeyDto.model_fields})
