"""Clients, operators and a recorder: what uses the service while faults strike.

Clients are the shipped one and know the HTTP contract alone, operators the functions of the schema
`api`. Nothing here imports the service.
"""
