"""A stand-in for a GenAI agent, for demo and tests: it takes prompts, and answers later through the gateway.

It is for loopback and for a network of containers alone: whoever reaches it may submit, and what it knows lives as
long as the process.
"""
