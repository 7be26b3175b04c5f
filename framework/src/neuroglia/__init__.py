"""Neuroglia: a light layer over FastAPI for event-sourced and event-driven microservices."""
