"""What the bank does in answer to events."""
