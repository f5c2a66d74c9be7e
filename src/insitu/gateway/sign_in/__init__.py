"""Who calls: access tokens of wallets, and tickets of executions."""
