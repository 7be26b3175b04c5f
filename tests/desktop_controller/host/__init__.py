"""The outside of the Desktop Controller: real processes, files and connections."""
