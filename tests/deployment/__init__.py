"""What runs the samples."""
