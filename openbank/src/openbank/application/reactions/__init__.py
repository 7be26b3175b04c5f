"""From events to commands."""
