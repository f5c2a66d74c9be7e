"""Errors of documents: DIDs, DDOs, services, workflows, algorithms, policies."""

from insitu.domain.error_table.shape import ErrorDefinition as E

DOCUMENTS = (
    E(
        "AssetNotFound",
        404,
        "No asset with this DID is known here.",
        "Check the DID, or wait until its registration is confirmed.",
        retry=True,
    ),
    E("AssetRetired", 410, "The owner has retired this asset.", "Choose another data set."),
    E(
        "ChecksumMismatch",
        409,
        "The document is not the one whose checksum is registered.",
        "Resolve the DID again; do not use the document.",
    ),
    E("InputElsewhere", 409, "An input is served by another gateway.", "Use inputs of one provider in one workflow."),
    E("InvalidAmount", 400, "An amount is not a decimal integer of base units.", "Write amounts as strings of digits."),
    E("InvalidDid", 400, "This is not a DID of the form did:nv: and 64 hexadecimal digits.", "Check the DID."),
    E(
        "InvalidDocument",
        422,
        "The document breaks rules of the specification.",
        "Correct the members that the problems name.",
    ),
    E("InvalidId", 400, "This is not an id of 64 hexadecimal digits.", "Check the id."),
    E(
        "InvalidQuantity",
        400,
        "A quantity cannot be read.",
        "Write cpu as a number of cores, memory and disk as 8gb or 512mib.",
    ),
    E(
        "ManualReviewNotSupported",
        422,
        "The policy asks for a manual review, which this version does not do.",
        "Set policy.review to none.",
    ),
    E(
        "NoComputeService",
        422,
        "The data set offers no compute service.",
        "Add a compute service, or say that you want to publish without one.",
    ),
    E(
        "NoSuitableServer",
        409,
        "No supported server is large enough for the workflow.",
        "Lower the stages' requirements.",
    ),
    E(
        "OutputDidNotSupported",
        422,
        "A stage cannot write into an existing DID.",
        "Leave output.id out: every result is a new asset.",
    ),
    E(
        "OutputUnused",
        422,
        "A stage reads the output of a stage that does not exist before it.",
        "Name a stage with a lower index.",
    ),
    E(
        "PendingPoolFull",
        503,
        "As many documents wait for the chain as this catalogue keeps of accounts like this one.",
        "Try again when Retry-After says; who has registered an asset, or holds metadata.stake, waits in another pool.",
        retry=True,
    ),
    E(
        "PendingShareUsed",
        429,
        "As many documents of this creator or network wait for the chain as may.",
        "Register those that wait, or try again when Retry-After says: they are dropped then.",
        retry=True,
    ),
    E("ServerAmbiguous", 422, "The stages name different servers.", "Name one serverId for the whole workflow."),
    E(
        "ServerInstancesNotSupported",
        422,
        "A stage asks for more than one server instance.",
        "Set serverInstances to 1.",
    ),
    E("ServiceNotFound", 404, "The asset has no such service.", "Look at the indices of its services."),
    E(
        "SeveralOwnersTooMany",
        422,
        "The workflow would pay more receivers than an agreement takes.",
        "Use fewer inputs of different owners.",
    ),
    E(
        "StageOrder",
        422,
        "A stage reads the output of a stage that does not run before it.",
        "Let previousStage be a lower index.",
    ),
    E("TimelockNotSupported", 422, "A condition has a timelock.", "Set timelock to 0."),
    E("TooManyStages", 422, "The workflow has more stages or inputs than can be run.", "Split the workflow."),
    E(
        "WorkflowChanged",
        409,
        "The workflow is not the version that was bought.",
        "Execute the workflow that the agreement names, or buy again.",
    ),
    E(
        "WorkflowMismatch",
        409,
        "The agreement was bought for another workflow.",
        "Execute the workflow that the agreement names.",
    ),
)
