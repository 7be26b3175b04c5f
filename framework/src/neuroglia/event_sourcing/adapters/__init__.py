"""Event stores for the schemes of `EVENT_STORE_URL`, one module each."""
