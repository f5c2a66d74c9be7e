"""Agreements: what the provider quotes, offers, relays, grants and refuses."""
