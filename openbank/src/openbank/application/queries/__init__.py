"""What can be asked: one file for each query and its handler."""
