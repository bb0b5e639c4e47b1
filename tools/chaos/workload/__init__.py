"""Clients, operators and a recorder: what uses the service while faults strike.

Nothing here imports the product: clients know its HTTP contract, operators the functions of the
schema `api`.
"""
