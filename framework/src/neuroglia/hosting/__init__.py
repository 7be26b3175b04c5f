"""Putting an application together and running it."""

from neuroglia.hosting.builder import WebApplicationBuilder
from neuroglia.hosting.server import run
from neuroglia.hosting.settings import ServiceSettings

__all__ = ["ServiceSettings", "WebApplicationBuilder", "run"]
