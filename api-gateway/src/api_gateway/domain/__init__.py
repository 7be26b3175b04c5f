"""What a prompt is: pure Python."""
