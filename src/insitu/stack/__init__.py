"""The composition root: the only place that picks adapters.

``parts`` opens single adapters, ``provider`` puts the services of one process together, ``serving`` lets them answer
HTTP, ``client`` connects a consumer or an owner. Imports of adapters stand inside the functions, so that importing
this package costs nothing.
"""

from insitu.stack.client import connect, connect_async
from insitu.stack.offers import development_accounts
from insitu.stack.parts import (
    chain_programme,
    check_contracts,
    deploy_contracts,
    gateway_info,
    open_chain,
    open_images,
    open_keys,
    open_signer,
    probe_runtime,
)
from insitu.stack.serving import serve
from insitu.stack.stores import describe_database, remote_stores

__all__ = [
    "chain_programme",
    "check_contracts",
    "connect",
    "connect_async",
    "deploy_contracts",
    "describe_database",
    "development_accounts",
    "gateway_info",
    "open_chain",
    "open_images",
    "open_keys",
    "open_signer",
    "probe_runtime",
    "remote_stores",
    "serve",
]
