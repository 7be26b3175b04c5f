"""Putting an application together and running it."""

from neuroglia.hosting.builder import WebApplicationBuilder as WebApplicationBuilder
from neuroglia.hosting.server import run as run
from neuroglia.hosting.settings import ServiceSettings as ServiceSettings
