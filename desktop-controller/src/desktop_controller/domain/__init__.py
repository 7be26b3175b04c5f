"""What a host, its user and its commands are: pure Python."""
