"""The choice of what is published."""
