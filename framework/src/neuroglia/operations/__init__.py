"""Operating a service: looking at its events and subscriptions, and mending what is parked."""
