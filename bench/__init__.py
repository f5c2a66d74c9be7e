"""Measurements: our figure beside the peer's or the floor's, taken in the same run (``make bench``).

Machines differ and are shared, so nothing here is asserted; the goal stands beside each figure for whoever reads it.
"""
