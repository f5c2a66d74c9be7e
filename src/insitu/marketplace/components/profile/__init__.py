"""What an account offers."""
