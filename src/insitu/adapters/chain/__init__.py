"""Chain port: any EVM JSON-RPC, and an embedded development chain."""
