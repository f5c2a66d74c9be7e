"""The outbox: transactions and publications, each carried out once."""
