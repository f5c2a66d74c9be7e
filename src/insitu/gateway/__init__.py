"""GATEWAY: follows agreements, grants, authorises and settles (specification, C6–E10)."""
