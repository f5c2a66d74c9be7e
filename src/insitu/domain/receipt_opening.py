"""What stands behind the salted hashes of a receipt: what owners and the provider can show, file by file.

Salts are derived from one secret of the agreement. An input has the same salt in each execution, so its consumer sees
whether the data changed. What is withheld has a salt of its own each time, so that equal details do not show as equal.
"""

import hmac
from typing import Annotated

from pydantic import Field

from insitu.domain.canonical import canonical_json, sha256_hex
from insitu.domain.execution import Reason, Usage
from insitu.domain.merkle import FileDigest, files_root
from insitu.domain.receipt import Predicate
from insitu.domain.receipt_parts import CommonPredicate
from insitu.domain.wire import WireModel


class OpenedFile(WireModel):
    """A file as it was mounted: its name (empty for a folder that is the whole input) and SHA-256."""

    name: str
    sha256: str


class OpenedInput(WireModel):
    """The files of an input of a stage, by ascending index, and the salt of their root."""

    stage: int
    position: int
    did: str
    salt: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    files: tuple[OpenedFile, ...]

    @property
    def root(self) -> str:
        """The root that the receipt states."""
        return files_root((FileDigest(file.name, file.sha256, 0) for file in self.files), bytes.fromhex(self.salt))


class WithheldStage(WireModel):
    """What a receipt leaves out of a stage."""

    stage: int
    exit_code: int | None
    usage: Usage
    reason: Reason | None


class Withheld(WireModel):
    """What a receipt leaves out if logs are not let out, and the salt of its hash."""

    salt: str
    stages: tuple[WithheldStage, ...]
    reason: Reason | None

    @property
    def digest(self) -> str:
        """The hash that the receipt states: SHA-256 of the canonical JSON, salt included."""
        return sha256_hex(canonical_json(self.model_dump(mode="json", by_alias=True)))


class Opening(WireModel):
    """What a caller may see behind a receipt's hashes: their own inputs, and what is withheld if all are theirs."""

    inputs: tuple[OpenedInput, ...] = ()
    withheld: Withheld | None = None


def salt_for(secret: str, *purpose: str) -> str:
    """Derive a salt from a secret of 64 hexadecimal digits; the result has as many."""
    return hmac.digest(bytes.fromhex(secret), canonical_json(list(purpose)), "sha256").hex()


def opening_checks(predicate: CommonPredicate, opening: Opening) -> tuple[tuple[str, bool], ...]:
    """Return the checks of an opening that comes with a receipt."""
    roots = {(stage.index, read.position, read.did): read.root for stage in predicate.stages for read in stage.inputs}
    checks = []
    for data in opening.inputs:
        holds = roots.get((data.stage, data.position, data.did)) == data.root
        checks.append((f"the files of {data.did} are those of stage {data.stage}", holds))
    if opening.withheld is not None:
        committed = predicate.withheld if isinstance(predicate, Predicate) else None
        checks.append(("what was withheld is what the receipt commits to", opening.withheld.digest == committed))
    return tuple(checks)
