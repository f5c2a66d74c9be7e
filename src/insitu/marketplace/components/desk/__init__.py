"""What an account ran. Its element does everything after the sign-in."""
