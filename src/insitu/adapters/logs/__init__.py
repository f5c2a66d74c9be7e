"""Adapters of the logs port: the output of algorithms by execution, stage and attempt."""
