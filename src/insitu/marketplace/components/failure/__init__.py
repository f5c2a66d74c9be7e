"""The page for anything that went wrong."""
