"""Read models, which are what the API answers; how prompts are stored; and what the outside is told."""
