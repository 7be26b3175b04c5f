"""The one door through which third parties reach an internal GenAI stack."""
