"""The Desktop Controller."""
