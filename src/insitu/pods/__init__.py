"""Configuration and Publishing Pod: what happens before and after the compute container."""
