"""Who may do what: each request shows credentials, and each endpoint names the scopes of which it wants one."""

from neuroglia.core import Principal as Principal
from neuroglia.security.browsers import allow_pages as allow_pages, protections as protections
from neuroglia.security.guard import Guard as Guard, Scheme as Scheme
from neuroglia.security.keys import SigningKeys as SigningKeys
from neuroglia.security.oauth2 import OAuth2Bearer as OAuth2Bearer
from neuroglia.security.options import OAuth2Options as OAuth2Options
