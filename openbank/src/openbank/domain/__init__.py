"""The rules of the bank. Pure Python."""
