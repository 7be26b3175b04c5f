"""API keys: for callers who have no issuer of tokens, each with permissions and a rate limit of its own."""

from neuroglia.security.api_keys.rate_limits import RateLimits as RateLimits
from neuroglia.security.api_keys.records import ApiKey as ApiKey, IssuedKey as IssuedKey
from neuroglia.security.api_keys.scheme import ApiKeyScheme as ApiKeyScheme, add_api_keys as add_api_keys
from neuroglia.security.api_keys.service import ApiKeys as ApiKeys
