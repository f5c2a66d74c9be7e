"""Settings: read once, passed down."""
