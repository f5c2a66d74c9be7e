"""Chain port: any EVM JSON-RPC (``EvmChain``), and an embedded development chain (``EmbeddedChain``)."""
