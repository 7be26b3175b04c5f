"""Operating a service: looking at its events and subscriptions, and mending what is parked.

`api` is the admin API, which `WebApplicationBuilder.add_operations` adds; `cli` is a thin client of it, which imports
nothing of the server: that is why nothing is imported here.
"""
