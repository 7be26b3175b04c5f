"""Executes allow-listed commands on the desktop that it runs on, for those who may."""
