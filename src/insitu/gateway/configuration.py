"""What a gateway is told at its start: plain values and keys, no port."""

from dataclasses import dataclass

from pydantic import JsonValue
from typing_extensions import override

from insitu.api.gateway_v1 import BASE, EXEC_ALIASES, Operation
from insitu.domain.ids import Address

__all__ = ["FileKey", "GatewayConfiguration", "Keyring"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileKey:
    """A key of lists of files: 32 bytes and their number, which counts up when the key is rotated."""

    version: int
    key: bytes

    @override
    def __repr__(self) -> str:
        return f"FileKey(version={self.version})"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The gateway's symmetric keys (design §7); the chain key is a :class:`insitu.ports.keys.Signer`.

    Attributes
    ----------
    files
        Every file key that lists may still be sealed with; the one with the highest version seals.
    tokens, tickets
        32 bytes each, from which the keys of access tokens and of tickets derive.
    """

    files: tuple[FileKey, ...]
    tokens: bytes
    tickets: bytes

    @override
    def __repr__(self) -> str:
        return f"Keyring(files={self.files!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfiguration:
    """Values of settings that the gateway needs; times in seconds, sizes in bytes.

    Attributes
    ----------
    public_url
        Without a slash at the end; DDOs and tokens name it.
    metadata_url
        Where this provider's documents are found, with ``{did}`` for the DID; goes on chain.
    creators
        Accounts whose lists of files may name ``file:``, ``pvc:`` and object stores.
    data_roots
        Absolute folders beneath which ``file:`` urls may point.
    relay
        Whether purchases of consumers are sent for them.
    relays_per_day, relay_budget
        For how many purchases of one consumer, and for how much wei of all strangers', in 24 hours.
    free_gas_budget
        How much wei executions of strangers that cost them nothing may take in 24 hours; None for no limit.
    coin_price
        What 10^18 wei are worth in base units of the token.
    upload_bytes
        Of one uploaded file.
    uploads_per_account, uploads_per_network, uploads_of_strangers, uploads_total
        Of all uploads that are kept: of an account with a stake, of one network of strangers, of all strangers, of all.
    free_disk
        What is left free of the disk.
    stake
        Wei; who holds less is a stranger.
    confirmations
        Blocks that a transaction of ours must be deep.
    commit_delay
        How long receipts without a charge wait for others to share a transaction.
    patience
        How long a reason that may pass, such as a document that is not there yet, is waited for before refusing.
    lost_after
        How long the lock of an agreement may be missing before its execution is stopped.
    publish_deadline
        How long a result may take from the beginning of its publishing until the catalogue has it.
    late_after
        How long after ``finishBy`` an operator may be silent before the gateway ends the execution.
    """

    version: str
    public_url: str
    metadata_url: str
    creators: tuple[Address, ...] = ()
    data_roots: tuple[str, ...] = ()
    free_grants_per_day: int = 100
    relay: bool = True
    relays_per_day: int = 20
    relay_budget: int = 10**17
    free_gas_budget: int | None = None
    coin_price: int = 10**21
    confirmations: int = 0
    result_retention: int = 30 * 24 * 3600
    token_lifetime: int = 600
    upload_bytes: int = 64 * MIB
    uploads_per_account: int = 1024 * MIB
    uploads_per_network: int = 128 * MIB
    uploads_of_strangers: int = 1024 * MIB
    uploads_total: int = 16 * 1024 * MIB
    free_disk: int = 0
    stake: int = 10**16
    commit_delay: float = 30.0
    patience: float = 60.0
    lost_after: float = 60.0
    publish_deadline: float = 600.0
    late_after: float = 300.0
    servers: tuple[dict[str, JsonValue], ...] = ()

    def audience(self, operation: Operation) -> str:
        """Return the audience of tokens for an operation (design §7)."""
        return f"{self.public_url}{BASE}/{operation}"

    def serves(self, endpoint: str | None) -> bool:
        """Tell whether a service endpoint of a DDO is this gateway's."""
        return endpoint in {f"{self.public_url}{BASE}{alias}" for alias in EXEC_ALIASES}

    def trusts(self, creator: Address) -> bool:
        """Tell whether a creator may name files of the provider's machines."""
        return creator.lower() in {one.lower() for one in self.creators}
