"""The account in the head of each page, and the windows about wallet, account and chain."""
