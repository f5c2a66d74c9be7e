"""The page of an asset."""
