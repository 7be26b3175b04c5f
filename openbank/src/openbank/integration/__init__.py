"""What the bank shows and needs outside of itself."""
