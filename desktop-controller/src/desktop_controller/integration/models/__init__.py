"""Read models, which are what the API answers."""
