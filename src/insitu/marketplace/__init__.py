"""The MARKETPLACE: pages for people (A1), rendered here; what signs and streams runs in the page itself."""
