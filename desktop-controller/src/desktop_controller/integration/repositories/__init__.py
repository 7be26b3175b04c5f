"""Files on the host."""
