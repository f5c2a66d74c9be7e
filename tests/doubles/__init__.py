"""Test doubles and test servers, for tests and benchmarks; insitu.testing has what others can use."""
