"""Protocols towards the outside world; the contract of each is written once, in its docstring."""
