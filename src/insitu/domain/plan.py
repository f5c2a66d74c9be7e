"""The plan of one execution: everything the operator needs, and nothing secret (E3).

The gateway resolves documents, decides who may do what, and writes the plan. The operator and its engine carry it out
without asking anybody. A plan contains no key and no URL of a data set: what must be fetched is named by a reference
that only the gateway can open, for the holder of the execution's ticket.
"""

from typing import Annotated, Literal

from pydantic import Field

from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.wire import Time, WireModel


class ImageReference(WireModel):
    """A container image by its name in the DDO and the digest of its manifest.

    Attributes
    ----------
    image, tag
        As in the DDO's ``supportedContainers``; for people.
    digest
        ``sha256:`` and 64 hexadecimal digits of the manifest; for machines.
    index_digest
        Digest of the image index, if that is what the checksum named.
    """

    image: str
    tag: str
    digest: str
    index_digest: str | None = None


class Mount(WireModel):
    """A file or folder on the provider's machine, mounted in place and read-only; nothing is copied."""

    kind: Literal["mount"] = "mount"
    path: str
    """Absolute path."""
    root: str
    """The data root that the path must be in; it is opened without following links."""


class Claim(WireModel):
    """A file or folder on a volume that is already in the cluster."""

    kind: Literal["pvc"] = "pvc"
    claim: str
    path: str = ""


class Fetch(WireModel):
    """A file that the Configuration Pod fetches from the gateway with the execution's ticket."""

    kind: Literal["fetch"] = "fetch"
    reference: str
    """Opaque, and unique within the plan."""


Failures = Literal["charged", "free"]
"""What an algorithm's own failure costs if nothing succeeds: the price, or nothing."""

FileSource = Annotated[Mount | Claim | Fetch, Field(discriminator="kind")]


class InputFile(WireModel):
    """One file of a data set or an algorithm.

    Attributes
    ----------
    index
        Its ``main.files[].index`` in the DDO.
    name
        Name inside the volume: for an input a single path component, or empty if the source is a folder that *is* the
        volume; for an algorithm a relative path.
    sha256
        64 hexadecimal digits that the content must have; None if the DDO does not say.
    size
        Bytes, if known.
    """

    index: int
    name: str
    source: FileSource
    sha256: str | None = None
    size: int | None = None

    def component(self, *, alone: bool = False) -> str:
        """Return the name of an input as one component of a path; a file that is alone may have none.

        The plan was checked, and a name is checked again wherever it becomes part of a path. Raises
        ``ConfigurationFailed``.
        """
        if self.name == "" and alone:
            return self.name
        if self.name in ("", ".", "..") or "/" in self.name or "\0" in self.name:
            raise InsituError("ConfigurationFailed", f"file {self.index} of an input has no usable name")
        return self.name


class StageInput(WireModel):
    """What one input volume of a stage contains: a data set, or the output of an earlier stage.

    ``position`` counts from 1 in ascending ``input.index``: the volume is ``/mnt/volume<position>``. Either ``did``
    (with ``files``) or ``previous_stage`` is given.
    """

    index: int
    position: int
    did: str | None = None
    files: tuple[InputFile, ...] = ()
    previous_stage: int | None = None


class Transformation(WireModel):
    """The algorithm of a stage. Every file has a ``sha256``."""

    did: str
    files: tuple[InputFile, ...]


class StagePlan(WireModel):
    """One stage: the image, the whole argument vector, the environment, the inputs and the algorithm."""

    index: int
    stage_type: str = ""
    image: ImageReference
    argv: tuple[str, ...]
    environment: dict[str, str] = Field(default_factory=dict)
    inputs: tuple[StageInput, ...]
    transformation: Transformation
    parameters: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """The stage's ``configuration``, for the receipt; ``argv`` already contains it."""


class Limits(WireModel):
    """What the server grants to each stage. ``max_execution_seconds`` covers all stages together."""

    server_id: str
    cpu_millis: int
    """Thousandths of a core."""
    memory_bytes: int
    disk_bytes: int
    """Size of a stage's output volume."""
    gpu: int = 0
    pids: int = 256
    log_bytes: int = 16 * 1024 * 1024
    """Captured output of a stage's attempt, and the size of its logs volume."""
    max_execution_seconds: int


class OutputRules(WireModel):
    """The effective rules for what may leave: the strictest ``policy`` of all inputs."""

    max_bytes: int
    """Of all files and their paths (UTF-8)."""
    max_files: int
    max_log_bytes: int | None = None
    """Bytes of text that one execution may show as log; None in plans of earlier versions, for all that is captured."""
    types: tuple[str, ...] | None = None
    """Allowed file name suffixes in lower case with their dot, and with ``=binary`` or ``=text`` if declared
    (:mod:`insitu.domain.file_types`); None allows any.
    """
    logs: Literal["live", "after_review", "none"] = "live"
    review: Literal["none", "manual"] = "none"

    @property
    def lets_logs_out(self) -> bool:
        """Whether the consumer may see what algorithms print, and with it exit codes, usage, and reasons' sentences."""
        return self.logs == "live" and self.max_log_bytes != 0

    def log_budget(self, captured: int) -> int:
        """Return how many bytes of text may reach the consumer as log, over all stages and attempts.

        ``captured`` is how many bytes the runtime keeps of what one attempt prints.
        """
        if not self.lets_logs_out:
            return 0
        return captured if self.max_log_bytes is None else min(self.max_log_bytes, captured)


class ExecutionPlan(WireModel):
    """One execution of an agreement's workflow.

    Attributes
    ----------
    number
        Counts the executions of the agreement from 0; equals ``Settlement.index`` on chain.
    start_before
        An execution starts before this time (start of the agreement + timeout).
    finish_by
        The hand-over ends before this time, so that the receipt can be settled.
    published_stages
        Indices of the stages whose outputs no later stage reads, in ascending order.
    revision_of
        On-chain checksum of the workflow's version in the terms, if another version runs.
    parameters
        Index of a stage → name → value, as given when the execution was started.
    failures
        What was agreed about failures of the algorithm: the price if nothing succeeds, or nothing.
    """

    service_agreement_id: AgreementId
    workflow_execution_id: ExecutionId
    number: int
    consumer: Address
    did: str
    """The agreement's DID: the first input of the workflow."""
    workflow_did: str
    workflow_checksum: str
    stages: tuple[StagePlan, ...]
    limits: Limits
    output: OutputRules
    published_stages: tuple[int, ...]
    start_before: Time
    finish_by: Time
    revision_of: str | None = None
    parameters: dict[str, dict[str, str | int | float | bool]] = Field(default_factory=dict)
    failures: Failures = "charged"

    @property
    def log_budget(self) -> int:
        """How many bytes of text may reach the consumer as log; see :meth:`OutputRules.log_budget`."""
        return self.output.log_budget(self.limits.log_bytes)

    def data_sets_of(self, stage: int) -> frozenset[str]:
        """Return the DIDs of the data sets that reach a stage, directly or through earlier stages."""
        reaching: dict[int | None, frozenset[str]] = {}
        for reader in self.stages:  # a stage only reads earlier ones, so one pass is enough
            own = frozenset(read.did for read in reader.inputs if read.did is not None)
            reaching[reader.index] = own.union(*(reaching.get(read.previous_stage, ()) for read in reader.inputs))
        return reaching[stage]

    def stage(self, index: int) -> StagePlan:
        """Return the stage with this index. Raises ``KeyError``."""
        for stage in self.stages:
            if stage.index == index:
                return stage
        raise KeyError(index)
