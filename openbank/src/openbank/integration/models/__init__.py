"""Read models, which are the responses of the API."""
