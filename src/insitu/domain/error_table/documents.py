"""Errors of documents: DIDs, DDOs, services, workflows, algorithms, policies."""

from insitu.domain.error_table.shape import read_rows

DOCUMENTS = read_rows("""
AssetNotFound 404 retry after_repair
    No asset with this DID is known here.
    Check the DID, or wait until its registration is confirmed.
AssetRetired 410
    The owner has retired or paused this asset.
    Choose another data set, or ask the owner to resume it.
BoughtVersionUnknown 409 retry after_repair
    The version of an input that was bought cannot be found any more.
    Ask the owner to publish this version again; what is not charged returns when the agreement ends.
ChecksumMismatch 409
    The document is not the one whose checksum is registered.
    Resolve the DID again; do not use the document.
EntrypointMissing 422
    Nothing says how to start the algorithm.
    Give --entrypoint COMMAND (entrypoint= in Python), or add a file compute-entrypoint.sh.
InputElsewhere 409
    An input is served by another gateway.
    Use inputs from a single provider in one workflow.
InvalidAmount 400
    An amount cannot be read.
    Write tokens, like 10 or 0.5, in commands and Python; in documents, base units as strings of digits.
InvalidDid 400
    This is not a DID: did:nv: followed by 64 hexadecimal digits.
    Copy the whole DID; insitu search lists them.
InvalidDocument 422
    The document breaks rules of the specification.
    Correct what the detail and the problems name.
InvalidId 400
    This is not a valid id.
    Check it: agreements have 64 hexadecimal digits, executions wx and 26 characters, accounts 0x and 40 digits.
InvalidQuantity 400
    A quantity cannot be read.
    Write cpu as a number of cores, and memory, disk and sizes like 8gb or 512mib.
ListNotAllowed 409
    This version of the document may not carry its sealed list of files.
    As the asset's owner, seal your own list and publish a new version with it.
ManualReviewNotSupported 422
    The policy asks for a manual review, which this version does not support.
    Choose another data set, or ask the owner to set policy.review to none.
NoComputeService 422
    The data set offers no compute service.
    Choose another data set; to publish one, add a compute service, or say that you want none.
NoSuitableServer 409
    No server has the requested name, or none is large enough for the workflow.
    Name a server that insitu show lists, or lower the stages' requirements.
ObjectUnreadable 422
    A file's store does not return the object that the file's URL names.
    Check the bucket and name in the URL, and that the store answers and lets this provider read the object.
OutputDidNotSupported 422
    A stage cannot write into an existing DID.
    Leave out output.id: every result is a new asset.
PendingPoolFull 503 retry
    As many documents are waiting for the chain as this catalogue allows for accounts like this one.
    Try again after Retry-After; who registered an asset at their own cost, or holds metadata.stake, has its own.
PendingShareUsed 429 retry
    This creator or network already has as many documents waiting for the chain as it may.
    Register those that are waiting, or try again after Retry-After, when they are dropped.
PolicyNotUnderstood 422
    The policy has a rule that this version of insitu cannot obey.
    Remove the rule that the detail names; if it is not yours, choose another data set or a newer insitu.
ServerAmbiguous 422
    The stages name different servers.
    Name one serverId for the whole workflow.
ServerInstancesNotSupported 422
    A stage asks for more than one server instance.
    Set serverInstances to 1.
ServiceNotFound 404
    The asset has no such service.
    Check the indices of its services.
SeveralOwnersTooMany 422
    The workflow would pay more receivers than an agreement allows.
    Use inputs from fewer owners.
StageOrder 422
    A stage reads the output of a stage that does not run before it.
    Set previousStage to a lower index.
TimelockNotSupported 422
    A condition has a timelock.
    Set timelock to 0.
TooManyStages 422
    The workflow has more stages or inputs than can run.
    Split the workflow.
VersionNotAllowed 409
    A new version changes more than a version may.
    Keep each service's index and type, main.type and the template; for anything else, publish a new asset.
WorkflowChanged 409
    The workflow is not the version that was bought.
    Execute the workflow that the agreement names, or buy again.
WorkflowMismatch 409
    The agreement was bought for another workflow.
    Execute the workflow that the agreement names.
""")
