"""The accounts of the embedded chain. Their keys are public and worth nothing anywhere else.

They derive from the mnemonic "test test test test test test test test test test test junk" (BIP-44, m/44'/60'/0'/0/i):
the ten accounts that Ethereum's development chains and wallets share.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from insitu.adapters.keys.signer import LocalSigner
from insitu.domain.errors import InsituError

_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "deployer": "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "provider": "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "owner": "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "second-owner": "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "consumer": "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "second-consumer": "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "relayer": "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "stranger": "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "spare": "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "second-spare": "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
    }
)

DEV_NAMES: tuple[str, ...] = tuple(_KEYS)
"""The names of the development accounts, in the order of derivation. ``deployer`` owns the embedded contracts."""


def dev_keys(names: Iterable[str]) -> Mapping[str, str]:
    """Return the keys of development accounts as hexadecimal digits."""
    return {name: _KEYS[name] for name in names}


class DevSigner(LocalSigner):
    """The key of a development account."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        if name not in _KEYS:
            raise InsituError(
                "KeyNotFound", f"{name[:40]!r} is not a development account; they are {', '.join(DEV_NAMES)}"
            )
        super().__init__(bytes.fromhex(_KEYS[name]))
        self.name = name


def dev_signer(name: str) -> DevSigner:
    """Return the development account of this name. Raises ``KeyNotFound``."""
    return DevSigner(name)
