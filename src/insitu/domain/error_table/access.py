"""Errors of requests and of who may do what (design §7)."""

from insitu.domain.error_table.shape import ErrorDefinition as E

ACCESS = (
    E(
        "AlgorithmNotAllowed",
        403,
        "The owner of an input does not allow this algorithm.",
        "Use an algorithm of the service's policy, or ask the owner to add its DID and checksum.",
    ),
    E(
        "AlgorithmNotUsable",
        403,
        "The algorithm belongs to somebody else and is not free.",
        "Use an algorithm of your own, or one whose price is 0.",
    ),
    E(
        "ArgumentWithoutEffect",
        400,
        "An argument would change nothing beside the others.",
        "Leave it out, or leave out what the detail names.",
    ),
    E(
        "AudienceMismatch",
        403,
        "The token was made for another operation.",
        "Ask for a token whose audience is this operation's url.",
    ),
    E(
        "BodyTooLarge",
        413,
        "The body of the request is larger than this server accepts.",
        "Send a smaller document; large files are uploaded, not embedded.",
    ),
    E(
        "BodyTooSlow",
        408,
        "The body of the request stopped coming.",
        "Send it again, over a connection that carries at least 4 KiB a second.",
    ),
    E(
        "CreatorNotAllowed",
        403,
        "This gateway does not open files on its machine for this creator.",
        "Ask the operator to list the creator under gateway.creators and the folder under gateway.data_roots.",
    ),
    E(
        "DownloadNotAllowed",
        403,
        "Only the on-chain owner of an asset may download its files.",
        "Sign in with the owner's key.",
    ),
    E(
        "FileNotDownloadable",
        403,
        "This file lives at the provider and never leaves it.",
        "Buy the compute service and send an algorithm to the data.",
    ),
    E(
        "IdempotencyConflict",
        409,
        "The same Idempotency-Key came with another body.",
        "Use a new key for a new request.",
    ),
    E(
        "ImageNotAllowed",
        403,
        "The container image is not among the supported containers of an input.",
        "Name an image, tag and checksum of the service's supportedContainers.",
    ),
    E(
        "ImageUnsuitable",
        409,
        "No image that the data sets allow has what the algorithm needs.",
        "Name an image to run in it all the same (--image), or ask the owner to allow one that has it.",
    ),
    E("InvalidRequest", 400, "The request is not well formed.", "Correct the members that the problems name."),
    E("InvalidToken", 401, "The token is not valid here.", "Ask for a new token at oauth/token."),
    E(
        "MethodNotAllowed",
        405,
        "This address does not take this method.",
        "See the OpenAPI document for the methods of the address.",
    ),
    E(
        "NotConsumer",
        403,
        "The caller is not the consumer of this agreement.",
        "Sign in with the key that bought the service.",
    ),
    E(
        "NotFound",
        404,
        "There is nothing at this address.",
        "Check the ids in the address; an id that belongs to another agreement is not found.",
    ),
    E("NotOwner", 403, "The caller does not own this asset.", "Sign in with the key of the on-chain owner."),
    E(
        "QuotaExceeded",
        429,
        "The quota of free agreements of this consumer is used up.",
        "Wait until it is renewed, or buy a priced service.",
        retry=True,
    ),
    E(
        "ServiceKeyRequired",
        401,
        "This address answers only to the configured gateway.",
        "Give the operator and the gateway the same service key.",
    ),
    E(
        "SignatureMismatch",
        401,
        "The signature was not made by the expected key.",
        "Sign with the key of the address that the request names.",
    ),
    E(
        "TargetNotAllowed",
        403,
        "The url points at an address that this server does not fetch from.",
        "Use a public address, or let the operator name the host in gateway.allowed_hosts.",
    ),
    E(
        "TokenExpired",
        401,
        "The token has expired.",
        "Ask for a new token; a stream resumes from its last event id or offset.",
        retry=True,
    ),
    E("TokenReused", 401, "The assertion was used before.", "Sign a new assertion with a new jti."),
)
