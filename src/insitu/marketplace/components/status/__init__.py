"""How the parts of the marketplace are."""
