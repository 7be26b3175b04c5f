"""The projections."""
