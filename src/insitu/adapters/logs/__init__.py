"""Logs port: what algorithms wrote, by execution, stage and attempt."""
