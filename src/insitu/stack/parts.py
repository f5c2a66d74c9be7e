"""Opening single adapters, as the settings choose them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.domain.errors import InsituError
from insitu.settings.sections import Settings
from insitu.stack.contracts import find_contracts

if TYPE_CHECKING:
    from insitu.adapters.chain.client import EvmChain
    from insitu.adapters.keys.dev import DevSigner
    from insitu.adapters.keys.keystore import Keystore, StoredKey
    from insitu.adapters.runtime.oci.images.store import ImageStore
    from insitu.api.budgets_v1 import Budgets
    from insitu.api.gateway_v1 import GatewayInfo
    from insitu.domain.ids import Address
    from insitu.ports.chain import TokenInfo
    from insitu.ports.keys import Signer


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
        Called with the key's name, only when a key file is opened.

    Raises ``KeyNotFound``, ``KeyPasswordWrong``.
    """
    from insitu.adapters.keys.keystore import StoredKey

    found = _find_key(settings, account)
    return open_keys(settings).open(found.name, password(found.name)) if isinstance(found, StoredKey) else found


def address_of(settings: Settings, account: str) -> "Address":
    """Return the address of an account, as in :func:`open_signer`, without opening its key. Raises ``KeyNotFound``."""
    return _find_key(settings, account).address


def default_account(settings: Settings, role: str = "consumer") -> str:
    """Return the account that signs if none is named: the only key of the data folder.

    If there is no key, on the embedded chain it is the development account ``role``. The provider's own key never
    counts. Raises ``KeyNotFound``, ``KeyAmbiguous``.
    """
    names = [key.name for key in open_keys(settings).list() if key.name != "provider"]
    if len(names) == 1:
        return names[0]
    if names:
        raise InsituError("KeyAmbiguous", f"there are several keys: {', '.join(names)}")
    if settings.chain.embedded:
        return role
    raise InsituError("KeyNotFound", f"there is no key in {settings.folder.keys}: insitu keys create NAME")


async def funds_of(settings: Settings, account: "Address") -> tuple[int, int, "TokenInfo"]:
    """Return what an account has: base units of the token, wei of the chain's coin, and the token.

    Raises ``ChainUnavailable``, ``ContractMismatch``.
    """
    chain = open_chain(settings)
    try:
        return await chain.balance(account), await chain.native_balance(account), await chain.token()
    finally:
        await chain.close()


def _find_key(settings: Settings, account: str) -> "StoredKey | DevSigner":
    from insitu.adapters.keys.dev import dev_signer

    try:
        return open_keys(settings).find(account)
    except InsituError as error:
        if error.code == "KeyNotFound" and settings.chain.embedded:
            return dev_signer(account)
        raise


def open_key_file(path: Path, password: Callable[[str], str]) -> "Signer":
    """Open a key file (Web3 Secret Storage) that is not in the data folder.

    Raises ``KeyNotFound``, ``KeyPasswordWrong``, ``KeyInvalid``.
    """
    from insitu.adapters.keys.keystore import Keystore

    return Keystore.open_file(path, password(path.name))


def open_images(settings: Settings) -> "ImageStore":
    """Return the container images of this machine."""
    from insitu.adapters.runtime.oci.images.store import ImageStore

    return ImageStore(settings.folder.images.resolve())


def open_chain(settings: Settings) -> "EvmChain":
    """Return the chain that the settings name, with the contracts of the deployments file.

    The embedded chain must be running in another process. Raises ``ContractMismatch`` if there is no deployments file,
    ``ChainUnavailable`` if the embedded chain never ran.
    """
    from insitu.adapters.chain.client import EvmChain

    deployments, url = find_contracts(settings)
    return EvmChain(url, deployments)


def chain_program() -> Path:
    """Return the program of the embedded chain. Raises ``ExtraMissing``."""
    from insitu.adapters.chain.anvil import find_anvil

    return find_anvil()


async def gateway_budgets(url: str) -> "Budgets":
    """Ask a gateway how its budgets stand. Raises ``PeerUnavailable``, ``ChainUnavailable``."""
    from insitu.api.budgets_v1 import Budgets
    from insitu.api.gateway_v1 import BASE
    from insitu.sdk.http import Http

    async with Http(timeout=10.0) as http:
        return await http.model(Budgets, "GET", f"{url.rstrip('/')}{BASE}/budgets")


async def gateway_info(url: str) -> "GatewayInfo":
    """Ask a gateway to describe itself. Raises ``PeerUnavailable``."""
    from insitu.api.gateway_v1 import BASE, GatewayInfo
    from insitu.sdk.http import Http

    async with Http(timeout=10.0) as http:
        return await http.model(GatewayInfo, "GET", url.rstrip("/") + BASE)
