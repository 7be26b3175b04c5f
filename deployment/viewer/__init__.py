"""Shows CloudEvents while they come: a sink with a page, for demo and development.

It is for loopback and for a network of containers alone: whoever reaches it may send and see. What it knows lives as
long as the process, and is no more than the newest few.
"""
