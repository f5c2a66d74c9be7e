"""A button that copies what stands before it."""
