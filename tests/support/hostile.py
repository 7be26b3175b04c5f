"""Texts that mean something to a store, a shell, a file system or a protocol, and must be nothing but text to us."""

from typing import Final

HOSTILE: Final = {
    "operator": '{"$gt": ""}',
    "not equal": '{"$ne": null}',
    "operator name": "$gt",
    "where": "$where",
    "function": "'; return true; var x='",
    "system variable": "$$ROOT",
    "field path": "f.name",
    "json path": "$.name",
    "own key": "_id",
    "prototype": "__proto__",
    "sql": "'; DROP TABLE things; --",
    "quotes": "' OR '1'='1",
    "double quotes": '" OR ""="',
    "like": "_%",
    "glob": "*",
    "regex": ".*",
    "parameter": ":name",
    "mark": "?",
    "backslash": "\\",
    "dots": "..",
    "way up": "../../etc/passwd",
    "nul": "\0",
    "nul inside": "a\0b",
    "line": "a\n",
    "percent": "%",
    "percent-encoded": "%24gt",
    "null": "null",
    "true": "true",
    "number": "1",
    "direction": "\u202e\ufeff",
    "emoji": "🦊",
    "system stream": "$all",
}
STRUCTURES: Final[list[object]] = [{"$gt": ""}, {"$ne": None}, {"$where": "1"}, [{"$gt": ""}], {"$regex": ".*"}]
"""What a filter must be when it is to be an operator."""
