"""Keys of people who are not at the provider's machine."""

KEY = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The account "consumer" of every development chain: public knowledge, worth nothing."""

PASSWORD = "correct horse battery staple"
"""Of its key file in these tests."""
