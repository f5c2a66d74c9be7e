"""Errors and reasons of executions (design §6). A reason of an ended execution is a code of this table."""

from insitu.domain.error_table.shape import ErrorDefinition as E

EXECUTIONS = (
    E(
        "AlgorithmChanged",
        409,
        "A file of the algorithm differs from its published checksum.",
        "Publish the algorithm again, or restore the file.",
    ),
    E("AlgorithmFailed", 409, "The algorithm ended with an error.", "Read its logs, correct it, and run it again."),
    E("CapacityExceeded", 409, "The server is larger than this operator's capacity.", "Choose a smaller server."),
    E(
        "ConfigurationFailed",
        502,
        "The inputs could not be made ready.",
        "Read the detail; run again when the source answers.",
        retry=True,
    ),
    E(
        "DiskLimitExceeded",
        409,
        "The algorithm filled its output or temporary volume.",
        "Write less, or choose a server with more disk.",
    ),
    E(
        "ExecutionInProgress",
        409,
        "An execution of this agreement is running.",
        "Wait for its end, or stop it.",
        retry=True,
    ),
    E("ExecutionLimitReached", 409, "The agreement's number of executions is used up.", "Buy the service again."),
    E("ExecutionUnknown", 404, "The agreement has no such execution.", "Check both ids."),
    E(
        "ForbiddenSystemCall",
        409,
        "The algorithm made a system call that the sandbox forbids.",
        "Remove it: there are no devices, no mounts, and no network in the sandbox.",
    ),
    E(
        "ImageUnavailable",
        409,
        "The container image is not here and cannot be pulled by its digest.",
        "Import, build or push the image at the provider, or correct its checksum.",
    ),
    E("InfrastructureFailed", 500, "The infrastructure failed.", "Run again; nothing was charged.", retry=True),
    E(
        "InputChanged",
        409,
        "An input differs from its published checksum.",
        "Ask the owner to publish the data set again.",
    ),
    E(
        "InputUnreadable",
        409,
        "An input cannot be opened in the sandbox.",
        "Ask the owner to let others read the file.",
    ),
    E("Interrupted", 500, "The execution was interrupted too often.", "Run again; nothing was charged.", retry=True),
    E("LogExpired", 410, "The log is no longer kept.", "Run the workflow again."),
    E("LogLimitExceeded", 409, "The algorithm wrote more log than allowed.", "Log less."),
    E(
        "MemoryLimitExceeded",
        409,
        "The algorithm used more memory than its server has.",
        "Use less memory, or choose a larger server.",
    ),
    E(
        "OutputRejected",
        409,
        "The output breaks the owner's rules, so nothing leaves.",
        "Write fewer, smaller, or other kinds of files.",
    ),
    E("ProcessLimitExceeded", 409, "The algorithm started too many processes.", "Start fewer processes or threads."),
    E("PublishingFailed", 502, "The result could not be handed over.", "Run again; nothing was charged.", retry=True),
    E("QueueTimeout", 503, "No capacity became free in time.", "Run again later; nothing was charged.", retry=True),
    E("ResultExpired", 410, "The files of the result are no longer kept.", "Run the workflow again."),
    E("StoppedByConsumer", 409, "The consumer stopped the execution.", "Run it again if you want its result."),
    E("StoppedByOwner", 409, "The owner of an input stopped the execution.", "Ask the owner; nothing was charged."),
    E("StoppedByProvider", 409, "The provider stopped the execution.", "Ask the provider; nothing was charged."),
    E(
        "TimeLimitExceeded",
        409,
        "The execution ran longer than its server allows.",
        "Do less work, or choose a server with a longer maxExecutionTime.",
    ),
)
