"""Where the gateway keeps what it has fetched."""
