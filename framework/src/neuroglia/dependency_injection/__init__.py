"""Dependency injection: services are registered once, checked as a whole, and built by their constructors' types."""

from neuroglia.dependency_injection.collection import Lifetime as Lifetime, ServiceCollection as ServiceCollection
from neuroglia.dependency_injection.provider import Scope as Scope, ServiceProvider as ServiceProvider
