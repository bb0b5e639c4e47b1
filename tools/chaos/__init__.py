"""Fault injection: the service on one machine under every fault at once, and a checker of it."""
