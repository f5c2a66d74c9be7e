"""Whether an account signed something, as the contracts judge it: a contract account decides for itself (ERC-1271)."""

import anyio
from eth_abi.abi import encode

from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc, raw_bytes
from insitu.domain.errors import InsituError, Unavailable
from insitu.domain.ids import Address
from insitu.domain.signatures import MAX_SIGNATURE, recover_address

_GAS = 1_000_000
"""What a contract account may use to judge one signature. Three owners of a Safe need 40,000, a passkey 350,000."""

_SECONDS = 5.0
"""For both answers of the node."""

_VALID = bytes.fromhex("1626ba7e").ljust(32, b"\0")
"""What ``isValidSignature(bytes32,bytes)`` returns for a valid signature: its own selector."""

_EXHAUSTED = ("out of gas", "outofgas", "opcode", "stack", "memory")
"""How nodes name what ends a contract without a revert."""


async def signed_by(rpc: JsonRpc, account: Address, digest: bytes, signature: bytes) -> bool:
    """Return whether an account signed a digest. Raises ``ChainUnavailable``."""
    try:
        with anyio.fail_after(_SECONDS):
            if raw_bytes(await rpc.call("eth_getCode", account, "latest")):
                return len(signature) <= MAX_SIGNATURE and await _accepts(rpc, account, digest, signature)
    except TimeoutError:
        detail = f"{rpc.host} did not judge a signature of {account} within {_SECONDS:g} s"
        raise InsituError("ChainUnavailable", detail) from None
    try:
        return recover_address(digest, signature) == account
    except InsituError:
        return False


async def _accepts(rpc: JsonRpc, account: Address, digest: bytes, signature: bytes) -> bool:
    """Ask a contract account. One that fails, uses too much gas or returns anything else does not accept."""
    data = _VALID[:4] + encode(["bytes32", "bytes"], [digest, signature])
    call = {"to": account, "data": "0x" + data.hex(), "gas": hex(_GAS)}
    try:
        answer = await rpc.call("eth_call", call, "latest")
    except NodeError as error:
        if isinstance(error, Unavailable) and not any(word in error.message.lower() for word in _EXHAUSTED):
            raise
        return False
    # As OpenZeppelin's SignatureChecker reads it: the first word, whatever follows.
    return raw_bytes(answer)[:32] == _VALID
