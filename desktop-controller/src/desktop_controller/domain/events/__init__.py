"""What is recorded of them."""
