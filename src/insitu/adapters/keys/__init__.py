"""Keys port: signing and sealing with keys that never leave this adapter."""
