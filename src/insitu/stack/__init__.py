"""The composition root: the only place that picks adapters.

``parts`` opens single adapters, ``provider`` builds the services of one process, ``serving`` makes them answer HTTP,
``client`` connects a consumer or an owner. Functions import their adapters themselves, so that importing this package
is fast.
"""

from insitu.stack.cleaning import clean_folder
from insitu.stack.client import connect, connect_async
from insitu.stack.contracts import accept_contracts, deploy_contracts, fund_accounts, inspect_contracts
from insitu.stack.examining import examine_cluster, given_up, probe_runtime
from insitu.stack.objects import describe_bucket, remote_places
from insitu.stack.offers import development_accounts, rotate_file_keys
from insitu.stack.parts import (
    address_of,
    chain_program,
    default_account,
    funds_of,
    gateway_info,
    open_chain,
    open_images,
    open_key_file,
    open_keys,
    open_signer,
)
from insitu.stack.separation import separate
from insitu.stack.serving import serve
from insitu.stack.share import share_of
from insitu.stack.stores import describe_database, remote_stores

__all__ = [
    "accept_contracts",
    "address_of",
    "chain_program",
    "clean_folder",
    "connect",
    "connect_async",
    "default_account",
    "deploy_contracts",
    "describe_bucket",
    "describe_database",
    "development_accounts",
    "examine_cluster",
    "fund_accounts",
    "funds_of",
    "gateway_info",
    "given_up",
    "inspect_contracts",
    "open_chain",
    "open_images",
    "open_key_file",
    "open_keys",
    "open_signer",
    "probe_runtime",
    "remote_places",
    "remote_stores",
    "rotate_file_keys",
    "separate",
    "serve",
    "share_of",
]
