"""Single adapters, as the settings choose them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from insitu.domain.errors import InsituError
from insitu.settings import Settings

if TYPE_CHECKING:
    from insitu.adapters.chain.client import EvmChain
    from insitu.adapters.keys.keystore import Keystore
    from insitu.adapters.runtime.oci.images.store import ImageStore
    from insitu.api.gateway_v1 import GatewayInfo
    from insitu.domain.ids import Address
    from insitu.ports.keys import Signer
    from insitu.ports.runtime import Enforcement

__all__ = [
    "chain_programme",
    "check_contracts",
    "deploy_contracts",
    "gateway_info",
    "open_chain",
    "open_images",
    "open_keys",
    "open_signer",
    "probe_runtime",
]


def open_keys(settings: Settings) -> "Keystore":
    """Return the key files of the data folder."""
    from insitu.adapters.keys.keystore import Keystore

    return Keystore(settings.folder.keys)


def open_signer(settings: Settings, account: str, password: Callable[[str], str]) -> "Signer":
    """Open the key of an account: a key file of the data folder, else a development account of the embedded chain.

    Parameters
    ----------
    account
        Name or address of a key file, or the name of a development account (``consumer``, ``owner`` …).
    password
        Asked with the key's name, only where a key file is opened.

    Raises ``KeyNotFound``, ``KeyPasswordWrong``.
    """
    from insitu.adapters.keys.dev import dev_signer

    keystore = open_keys(settings)
    try:
        found = keystore.find(account)
    except InsituError as error:
        if error.code == "KeyNotFound" and settings.chain.embedded:
            return dev_signer(account)
        raise
    return keystore.open(found.name, password(found.name))


def open_images(settings: Settings) -> "ImageStore":
    """Return the container images of this machine."""
    from insitu.adapters.runtime.oci.images.store import ImageStore

    return ImageStore(settings.folder.images)


def open_chain(settings: Settings) -> "EvmChain":
    """Return the chain that the settings name, with the contracts of the deployments file.

    The embedded chain must be running in another process. Raises ``ContractMismatch`` where there is no deployments
    file, ``ChainUnavailable`` where the embedded chain never ran.
    """
    from insitu.adapters.chain.client import EvmChain
    from insitu.adapters.chain.deployments import Deployments

    deployments = Deployments.read(settings.deployments)
    url = settings.chain.rpc_url or deployments.rpc_url
    if url is None:
        raise InsituError(
            "ChainUnavailable", f"{settings.deployments} does not say where the chain is; set chain.rpc_url"
        )
    return EvmChain(url, deployments)


def chain_programme() -> Path:
    """Return the program of the embedded chain. Raises ``ExtraMissing``."""
    from insitu.adapters.chain.anvil import find_anvil

    return find_anvil()


async def check_contracts(settings: Settings) -> dict[str, str]:
    """Check code, wiring and approval of the contracts and return their addresses. Raises ``ContractMismatch``."""
    chain = open_chain(settings)
    try:
        await chain.verify()
        return dict(chain.deployments.contracts)
    finally:
        await chain.close()


async def deploy_contracts(
    settings: Settings,
    signer: "Signer",
    *,
    token: "Address | None" = None,
    owner: "Address | None" = None,
    say: Callable[[str], None],
) -> dict[str, str]:
    """Deploy the contracts to the chain of the settings and write the deployments file; resumes where it stopped."""
    from insitu.adapters.chain.deploy import DeploymentPlan, deploy
    from insitu.adapters.chain.rpc import JsonRpc

    if settings.chain.rpc_url is None:
        raise InsituError("SettingsInvalid", "chain.rpc_url says where to deploy, and is not set")
    rpc = JsonRpc(settings.chain.rpc_url)
    try:
        journal = settings.deployments.with_suffix(".journal")
        found = await deploy(rpc, signer, journal, DeploymentPlan(token=token, owner=owner), say)
    finally:
        await rpc.close()
    found.write(settings.deployments)
    return dict(found.contracts)


async def probe_runtime(settings: Settings) -> "Enforcement":
    """Prove the seal of this machine's runtime with a real run."""
    from insitu.adapters.runtime.oci.runner import OciRuntime

    runtime = OciRuntime(
        runs=settings.folder.runs, images=open_images(settings), configure=_only_probing, publish=_only_probing
    )
    return await runtime.probe()


async def _only_probing(step: object, workspace: object) -> NoReturn:
    raise InsituError("RuntimeUnavailable", "this runtime was opened to be probed, not to run executions")


async def gateway_info(url: str) -> "GatewayInfo":
    """Ask a gateway who it is. Raises ``PeerUnavailable``."""
    from insitu.api.gateway_v1 import BASE, GatewayInfo
    from insitu.sdk.http import Http

    http = Http(timeout=10.0)
    try:
        return await http.model(GatewayInfo, "GET", url.rstrip("/") + BASE)
    finally:
        await http.close()
