"""Keys on this machine: keystore files, development accounts, and the gateway's symmetric keys."""
