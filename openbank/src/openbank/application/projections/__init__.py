"""From events to read models."""
