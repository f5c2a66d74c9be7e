"""The client library: assets, agreements, compute, executions."""
