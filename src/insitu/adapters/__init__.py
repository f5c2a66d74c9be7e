"""Implementations of the ports; the only code that touches the outside world."""
