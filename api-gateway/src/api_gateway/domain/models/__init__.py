"""The aggregate and its values."""
