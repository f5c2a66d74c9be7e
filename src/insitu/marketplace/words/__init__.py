"""Rules and states as sentences: pure functions."""
