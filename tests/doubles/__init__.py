"""Doubles of neighbours, and servers of their own, for tests and benchmarks; what others can use is insitu.testing."""
