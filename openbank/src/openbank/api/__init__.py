"""HTTP: one controller for each resource."""
