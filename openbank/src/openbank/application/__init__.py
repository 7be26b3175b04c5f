"""Use cases: one file for each command and query, and the projections that build the read models."""
