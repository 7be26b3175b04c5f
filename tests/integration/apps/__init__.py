"""Small services that the integration tests start as processes."""
