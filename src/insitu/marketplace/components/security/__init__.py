"""What is checked before a wallet opens, and what a reader has to trust."""
