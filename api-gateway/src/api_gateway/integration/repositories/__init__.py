"""What is kept: prompts, objects, secrets, and what callers have used of their rates."""
