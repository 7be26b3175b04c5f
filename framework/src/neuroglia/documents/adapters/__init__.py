"""Document stores for the schemes of `DOCUMENT_STORE_URL`, one module each."""
