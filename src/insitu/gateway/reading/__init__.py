"""Reading the chain for pages that have no node of their own."""
