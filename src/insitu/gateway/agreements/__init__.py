"""Agreements: quoted, offered, relayed, granted or refused."""
