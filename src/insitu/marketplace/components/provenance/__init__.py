"""Where something comes from, as a graph and as a table."""
