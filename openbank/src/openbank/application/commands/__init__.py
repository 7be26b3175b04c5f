"""What can be done: one file for each command and its handler."""
