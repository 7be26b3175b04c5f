"""The reactions."""
