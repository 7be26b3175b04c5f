"""What OpenAPI has to be told beside the endpoints: how errors look, and which credentials there are."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from neuroglia.mvc.problems import Problem
from neuroglia.security import Guard


def describe(app: FastAPI, guard: Guard) -> None:
    """Adds the schema that PROBLEM_RESPONSES refer to, and the schemes of the guard."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        described = generate()
        _, found = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
        components = described.setdefault("components", {})
        components.setdefault("schemas", {}).update(found["$defs"])
        components["securitySchemes"] = {scheme.name: scheme.description() for scheme in guard.schemes}
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI: "Extending OpenAPI"
