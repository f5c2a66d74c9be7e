"""A sentence about rules, with accounts and assets as marks of their own."""
