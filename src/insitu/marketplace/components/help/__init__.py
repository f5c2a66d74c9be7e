"""What a person can do here, and what the words mean."""
