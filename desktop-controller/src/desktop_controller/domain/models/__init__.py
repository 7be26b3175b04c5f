"""The aggregates."""
