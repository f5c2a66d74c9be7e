"""Keys of people who are not at the provider's machine: those of every development chain, worth nothing."""

from insitu.adapters.keys.signer import LocalSigner

CONSUMER_KEY = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
OWNER_KEY = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
RELAYER_KEY = "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"

CONSUMER = LocalSigner(bytes.fromhex(CONSUMER_KEY)).address
"""Who is named to a search that shall find what is unlisted, such as results."""

PASSWORD = "correct horse battery staple"
"""The password of their key files in these tests."""
