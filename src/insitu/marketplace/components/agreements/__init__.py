"""What an account bought. Its element does everything after the sign-in."""
