"""The gateway's memory in SQLite."""
