"""Which versions of the inputs an agreement buys, as one hash in its terms (C3)."""

from collections.abc import Sequence

from insitu.domain.canonical import checksum


def inputs_hash(versions: Sequence[tuple[str, str]]) -> str:
    """Return 0x and the SHA3-256 of the canonical JSON ``[[did, checksum], …]``.

    Parameters
    ----------
    versions
        DID and on-chain checksum (64 hexadecimal digits) of each input once, in the order of ``Workflow.input_dids``.
    """
    return "0x" + checksum([[did, digits.lower().removeprefix("0x")] for did, digits in versions])
