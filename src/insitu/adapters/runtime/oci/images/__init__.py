"""Container images without a daemon: built from the host's Python, imported, or pulled by digest; kept unpacked."""
