"""The links to the pages of a list before and behind."""
