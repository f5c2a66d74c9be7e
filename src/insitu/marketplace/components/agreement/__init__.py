"""One agreement of an account. Its element does everything after the sign-in."""
