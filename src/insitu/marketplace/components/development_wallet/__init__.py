"""The wallet of development chains, and the choice of who one is."""
