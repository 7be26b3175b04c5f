"""Dependency injection: services are registered once, checked as a whole, and built by their constructors' types."""

from neuroglia.dependency_injection.collection import Lifetime, ServiceCollection
from neuroglia.dependency_injection.provider import Scope, ServiceProvider

__all__ = ["Lifetime", "Scope", "ServiceCollection", "ServiceProvider"]
