"""The search page, which follows what a person types."""
