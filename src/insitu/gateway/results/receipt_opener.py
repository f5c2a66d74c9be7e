"""What stands behind the salted hashes of a receipt: the files of its inputs, and what is withheld."""

from collections.abc import Iterator, Sequence

from insitu.domain.execution import StageRecord, Transition
from insitu.domain.plan import StageInput
from insitu.domain.receipt_opening import OpenedFile, OpenedInput, Withheld, salt_for
from insitu.ports.agreement_records import StoredExecution


def opened_inputs(execution: StoredExecution, records: Sequence[StageRecord]) -> Iterator[OpenedInput]:
    """Yield every input whose files' digests are all known, from the document or from the Configuration Pod.

    A folder mounted in place may have no digest. Then there is no root, rather than one that proves nothing.
    """
    for stage in execution.plan.stages:
        record = last_record(records, stage.index)
        for read in stage.inputs:
            files = _files(read, record)
            if read.did is not None and files and all(file.sha256 for file in files):
                salt = salt_for(execution.dossier.salt, "input", read.did)
                yield OpenedInput(stage=stage.index, position=read.position, did=read.did, salt=salt, files=files)


def withheld_details(execution: StoredExecution, records: Sequence[StageRecord], outcome: Transition) -> Withheld:
    """Return what a receipt leaves out if logs are not let out."""
    known = [last_record(records, stage.index) for stage in execution.plan.stages]
    shown = [record.model_dump() for record in known if record is not None]
    salt = salt_for(execution.dossier.salt, "withheld", execution.execution_id)
    return Withheld.model_validate({"salt": salt, "stages": shown, "reason": outcome.reason})


def last_record(records: Sequence[StageRecord], stage: int) -> StageRecord | None:
    """Return how the attempt of a stage that counts went."""
    return next((record for record in reversed(records) if record.stage == stage), None)


def _files(planned: StageInput, record: StageRecord | None) -> tuple[OpenedFile, ...]:
    found = _found(record, planned.position)
    return tuple(OpenedFile(name=file.name, sha256=file.sha256 or found.get(file.index, "")) for file in planned.files)


def _found(record: StageRecord | None, position: int) -> dict[int, str]:
    """Return the digests in ``{"inputs": {"<position>": {"<file index>": sha256}}}`` of the Configuration Pod."""
    inputs = record.configured.get("inputs") if record is not None else None
    files = inputs.get(str(position)) if isinstance(inputs, dict) else None
    if not isinstance(files, dict):
        return {}
    return {int(index): digest for index, digest in files.items() if index.isdigit() and isinstance(digest, str)}
