"""A small OpenID Connect issuer for demo and tests: real tokens on this machine, and nothing to install.

It is for loopback alone: its users have no passwords, and its keys and codes live as long as the process.
"""
