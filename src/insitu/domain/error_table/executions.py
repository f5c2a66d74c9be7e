"""Errors of executions. The reason why an execution ended is a code of this table."""

from insitu.domain.error_table.shape import read_rows

EXECUTIONS = read_rows("""
AlgorithmChanged 409
    A file of the algorithm differs from its published checksum.
    Publish the algorithm again, or restore the file.
AlgorithmFailed 409
    The algorithm ended with an error.
    Read its logs, correct it, and run it again.
CapacityExceeded 409
    The server is larger than this operator's capacity.
    Choose a smaller server.
ConfigurationFailed 502 retry
    The inputs could not be prepared.
    Read the detail; run again when the source answers.
DiskLimitExceeded 409
    The algorithm filled its output or temporary volume.
    Write less, or choose a server with more disk.
ExecutionInProgress 409 retry
    An execution of this agreement is running.
    Wait until it ends, or stop it.
ExecutionLimitReached 409
    The agreement allows no more executions.
    Buy the service again.
ExecutionNotEnded 409 retry
    The execution has not ended, so this does not exist yet.
    Wait until it ends: insitu status ID --follow.
ExecutionUnknown 404
    The agreement has no such execution.
    Check both ids, the account and the provider.
ForbiddenSystemCall 409
    The algorithm made a system call that the sandbox forbids.
    Remove it: there are no devices, no mounts, and no network in the sandbox.
ImageUnavailable 409
    The container image is not here and cannot be pulled by its digest.
    As the provider, import, build or push it with this checksum. As a consumer, name another image: --image.
InfrastructureFailed 500 retry
    The infrastructure failed.
    Run again; nothing was charged.
InputChanged 409
    An input differs from its published checksum.
    Ask the owner to publish the data set again; if its files were pinned, buy the new version.
InputUnreadable 409
    An input cannot be opened in the sandbox.
    Ask the owner to make the file readable by others.
InputsChangedMeanwhile 409 retry
    A data set of the workflow changed while the execution was prepared.
    Try again: the rules of the new version hold.
Interrupted 500 retry
    The execution was interrupted too often.
    Run again; nothing was charged.
LogExpired 410
    The log is no longer kept.
    Run the workflow again.
LogLimitExceeded 409
    The algorithm wrote more log than allowed.
    Log less.
MemoryLimitExceeded 409
    The algorithm used more memory than its server has.
    Use less memory, or choose a larger server.
NoResult 404
    The execution ended without a result.
    Read why: insitu status ID, insitu logs ID.
NotExecuted 404
    The agreement has no execution yet.
    Start one: insitu run --agreement ID.
NothingDelivered 409
    Neither a file nor log text was delivered.
    It cost nothing. Let the algorithm write files to NEVERMINED_OUTPUTS_PATH or --output, and run again.
OutputRejected 409
    The output breaks the owner's rules, so nothing leaves.
    Write fewer, smaller, or other kinds of files.
ParameterNotAllowed 403
    The owners of the data do not let an execution set this parameter.
    Leave it out, put it into the workflow as a revision, or ask the owner.
ProcessLimitExceeded 409
    The algorithm started too many processes.
    Start fewer processes or threads.
PublishingFailed 502 retry
    The result could not be handed over.
    Run again; nothing was charged.
QueueTimeout 503 retry
    No capacity became free in time.
    Run again later; nothing was charged.
ResultExpired 410
    The files of the result are no longer kept.
    Run the workflow again.
RevisionChangesPurchase 409
    The revision uses something else than the agreement bought.
    Keep the data sets, what each stage reads, and the server; or buy the new workflow.
RevisionNotAllowed 403
    This version of the workflow may not run under the agreement.
    Execute the version that was bought, or buy the new one.
StoppedByConsumer 409
    The consumer stopped the execution.
    Run it again if you want its result.
StoppedByOwner 409
    The owner of an input stopped the execution.
    Ask the owner; its charge is in the receipt.
StoppedByProvider 409
    The provider stopped the execution.
    Ask the provider; nothing was charged.
TimeLimitExceeded 409
    The execution ran longer than its server allows.
    Do less work, or choose a server with a longer maxExecutionTime.
""")
