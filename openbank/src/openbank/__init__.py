"""OpenBank: a bank whose truth is its events."""
