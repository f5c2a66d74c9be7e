"""An asset in a list."""
