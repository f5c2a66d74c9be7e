"""The frame of every page: head, places, foot."""
