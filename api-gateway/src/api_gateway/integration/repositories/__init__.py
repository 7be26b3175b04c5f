"""Where prompts, and what callers have used of their rates, are kept."""
