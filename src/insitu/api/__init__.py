"""Wire models and paths, shared by the servers and the SDK."""
