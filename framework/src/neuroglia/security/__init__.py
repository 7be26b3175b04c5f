"""Who may do what: each request shows credentials, and each endpoint names the scopes of which it wants one."""

from neuroglia.core import Principal as Principal
from neuroglia.security.api_key import ApiKey as ApiKey, IssuedKey as IssuedKey
from neuroglia.security.api_key_scheme import ApiKeyScheme as ApiKeyScheme, add_api_keys as add_api_keys
from neuroglia.security.api_keys import ApiKeys as ApiKeys
from neuroglia.security.browsers import allow_pages as allow_pages, protections as protections
from neuroglia.security.guard import Guard as Guard, Scheme as Scheme
from neuroglia.security.keys import SigningKeys as SigningKeys
from neuroglia.security.oauth2 import OAuth2Bearer as OAuth2Bearer
from neuroglia.security.options import OAuth2Options as OAuth2Options
from neuroglia.security.rate_limits import RateLimits as RateLimits
