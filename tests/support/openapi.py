"""What the OpenAPI document of every service has to be like."""

import json
from typing import Any

Document = dict[str, Any]
OPEN = {("get", "/health/live"), ("get", "/health/ready")}
"""What anybody may ask."""


def operations(document: Document) -> dict[tuple[str, str], dict[str, Any]]:
    """All of them, by method and path."""
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }  # fmt: skip


def require_told(document: Document) -> None:
    """Each operation says what it does, and how it fails."""
    for where, operation in operations(document).items():
        assert operation["summary"], where
        assert operation["description"].endswith("."), where
        assert operation["tags"], where
        assert "422" not in operation["responses"], where  # problems, not FastAPI's own error body
        if where not in OPEN:
            for status in ("4XX", "5XX"):
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"], where


def require_whole(document: Document) -> None:
    """Every reference leads somewhere, nothing is left over, and no two operations have one id."""
    schemas = document["components"]["schemas"]
    references = {part.partition('"')[0] for part in json.dumps(document).split('"$ref": "#/components/schemas/')[1:]}

    assert references == set(schemas)
    assert {"Problem", "ProblemError"} <= references
    assert "HTTPValidationError" not in schemas
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(ids)) == len(ids)
