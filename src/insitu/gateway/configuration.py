"""What a gateway is started with: plain values and keys, no ports."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue
from typing_extensions import override

from insitu.api.gateway_v1 import BASE, EXEC_ALIASES, OPERATIONS, Operation
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileKey:
    """A key for lists of files: 32 bytes, and a version that counts up when the key is rotated."""

    version: int
    key: bytes

    @override
    def __repr__(self) -> str:
        return f"FileKey(version={self.version})"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The gateway's symmetric keys. Its key on chain is a :class:`insitu.ports.keys.Signer`.

    Attributes
    ----------
    files
        Every key that a list may still be sealed with. The newest one seals.
    tokens, tickets
        32 bytes each. The keys of access tokens and of tickets are derived from them.
    """

    files: tuple[FileKey, ...]
    tokens: bytes
    tickets: bytes

    @override
    def __repr__(self) -> str:
        return f"Keyring(files={self.files!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfiguration:
    """The settings that the gateway needs; times in seconds, sizes in bytes.

    Attributes
    ----------
    public_url
        Without a slash at the end. DDOs and tokens contain it.
    metadata_url
        The url of this provider's documents, with ``{did}`` for the DID. It is registered on chain.
    creators
        Accounts whose lists of files may name ``file:``, ``pvc:`` and object stores.
    data_roots
        Absolute folders that ``file:`` urls must be inside.
    marketplaces
        Origins of pages, apart from the gateway's own, on which wallets may sign in here.
    chain_reads
        Whether anybody may read the contracts through the gateway's node.
    relay
        Whether the gateway sends purchases for consumers.
    relays_per_day, relay_budget
        How many purchases of one consumer, and for how much wei of all strangers together, in 24 hours.
    free_gas_budget
        How much wei free executions of strangers may take in 24 hours; None for no limit.
    free_compute
        How many seconds of compute may pay the provider nothing in 24 hours, under one agreement, for one consumer, and
        for all strangers together; None for no limit.
    coin_price
        The value of 10^18 wei in base units of the token.
    upload_bytes
        The most for one uploaded file.
    uploads_per_account, uploads_per_network, uploads_of_strangers, uploads_total
        The most for all stored uploads of an account with a stake, a network of strangers, all strangers, everyone.
    free_disk
        How much of the disk stays free.
    stake
        Wei. An account that holds less is a stranger.
    confirmations
        How many blocks deep a transaction of ours must be.
    commit_delay
        How long receipts without a charge wait to share a transaction with others.
    patience
        How long a grant waits before it is refused for a reason that may pass, such as a missing document.
    lost_after
        How long the lock of an agreement may be missing on chain before its execution is stopped.
    publish_deadline
        How long a result may take from the start of publishing until the catalogue has it.
    late_after
        How long after ``finishBy`` the gateway waits for the operator before it ends the execution.
    """

    version: str
    public_url: str
    metadata_url: str
    creators: tuple[Address, ...] = ()
    data_roots: tuple[str, ...] = ()
    free_grants_per_day: int = 100
    chain_reads: bool = True
    relay: bool = True
    relays_per_day: int = 20
    relay_budget: int = 10**17
    free_gas_budget: int | None = None
    free_compute: tuple[int | None, int | None, int | None] = (None, None, None)
    coin_price: int = 10**21
    confirmations: int = 0
    result_retention: int = 30 * 24 * 3600
    token_lifetime: int = 600
    marketplaces: tuple[str, ...] = ()
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
        """Return the audience of tokens for an operation."""
        return f"{self.public_url}{BASE}/{operation}"

    def operations(self, audiences: Sequence[object]) -> tuple[Operation, ...]:
        """Return the operations that audiences name. Raises ``AudienceMismatch`` unless each is one of this gateway.

        Otherwise another gateway could use here what a wallet signed for both.
        """
        known = {self.audience(operation): operation for operation in OPERATIONS}
        found = [known.get(audience) for audience in audiences if isinstance(audience, str)]
        operations = tuple(operation for operation in found if operation is not None)
        if len(operations) != len(audiences) or not operations or len(set(operations)) != len(operations):
            detail = f"each audience must be the url of one operation of this gateway, such as {next(iter(known))}"
            raise InsituError("AudienceMismatch", detail)
        return operations

    @property
    def token_endpoint(self) -> str:
        """The address at which wallets sign in."""
        return f"{self.public_url}{BASE}/oauth/token"

    def serves(self, endpoint: str | None) -> bool:
        """Return whether a service endpoint of a DDO belongs to this gateway."""
        return endpoint in {f"{self.public_url}{BASE}{alias}" for alias in EXEC_ALIASES}

    def trusts(self, creator: Address) -> bool:
        """Return whether a creator may name files on the provider's machines."""
        return creator.lower() in {trusted.lower() for trusted in self.creators}
