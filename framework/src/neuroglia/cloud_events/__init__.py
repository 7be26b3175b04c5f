"""CloudEvents: what comes in from other services, and what goes out to them."""
