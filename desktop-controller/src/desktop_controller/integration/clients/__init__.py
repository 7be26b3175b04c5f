"""Executors and what they reach the host by."""
