"""The rules of a data set: what happens next to it, and what may leave."""
