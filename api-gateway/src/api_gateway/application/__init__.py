"""The use cases: commands, queries, and the background tasks that carry a prompt through its life."""
