"""The background tasks."""
