"""Errors of requests, and of who may do what."""

from insitu.domain.error_table.shape import read_rows

ACCESS = read_rows("""
AlgorithmNotAllowed 403
    The owner of an input does not allow this algorithm.
    Use an algorithm that the service's policy lists, or ask the owner to add its DID and checksum.
AlgorithmNotUsable 403
    The algorithm belongs to someone else and is not free.
    Use your own algorithm, or one whose price is 0.
AlgorithmOutdated 403
    The owner of an input trusts this algorithm's publisher, and so only the algorithm's current version.
    Make a workflow with the algorithm's current version; insitu show --versions lists all.
ArgumentWithoutEffect 400
    An argument would have no effect next to the others.
    Leave it out, or leave out what the detail names.
AudienceMismatch 403
    The token was made for another operation.
    Ask for a token whose audience is this operation's URL.
BodyTooLarge 413
    The body of the request is larger than this server accepts.
    Send a smaller document; large files are uploaded, not embedded.
BodyTooSlow 408
    The body of the request stopped arriving.
    Send it again over a connection that carries at least 4 KiB per second.
ConsumerNotAllowed 403
    The owner of an input does not allow this consumer.
    Sign with an account that the policy's consumers lists, or ask the owner to add yours.
CreatorNotAllowed 403
    This gateway does not open files on its machine for this creator.
    Ask the operator to list the creator under gateway.creators and the folder under gateway.data_roots.
DownloadNotAllowed 403
    Only the on-chain owner of an asset may download its files.
    Sign in with the owner's key.
FeaturedFull 409
    The catalogue features as many assets as it can.
    End that for another one first (insitu unfeature); insitu curated lists them.
FileNotDownloadable 403
    This file lives with the provider and never leaves.
    Buy the compute service and send an algorithm to the data.
IdempotencyConflict 409
    The same Idempotency-Key was used with a different body.
    Use a new key for a new request.
ImageNotAllowed 403
    The container image is not among the supported containers of an input.
    Name one of the service's supportedContainers, with tag and checksum; insitu show lists them.
ImageUnsuitable 409
    No image that the data sets allow has what the algorithm needs.
    Name an image to run in anyway (--image), or ask the owner to allow one that has it.
InvalidRequest 400
    The request is not well formed.
    Correct what the detail and the problems name.
InvalidToken 401 new_token
    The token is not valid here.
    Ask for a new token at oauth/token.
LogsHidden 403
    An owner's rules do not release the logs of this execution.
    Its status and its receipt say how it ended; or ask the owner.
MethodNotAllowed 405
    This address does not accept this method.
    The OpenAPI document lists the methods of each address.
NotConsumer 403
    The caller is not the consumer of this agreement.
    Sign in with the key that bought the service.
NotCurator 403
    The caller does not decide what this catalogue shows.
    Ask the operator of the catalogue to list the account under metadata.curators.
NotFound 404
    There is nothing at this address.
    Check the address and its ids: what belongs to someone else, or is no longer kept, is not found.
NotOwner 403
    The caller does not own this asset.
    Sign in with the key of the on-chain owner.
OriginNotAllowed 403
    This gateway does not let wallets sign in on that page.
    Sign in on the gateway's own page, or ask the operator to list the page's origin under gateway.marketplaces.
QuotaExceeded 429 retry
    This consumer's quota of free agreements is used up.
    Wait until it is renewed, or buy a service that has a price.
ReadNotAllowed 403
    This gateway does not pass the call on to its node.
    Use a method and a contract that the detail and the gateway's root name, or a node of your own.
ServiceKeyRequired 401
    This address only answers the configured gateway.
    Give the operator and the gateway the same service key.
SignatureMismatch 401
    The signature was not made by the expected key.
    Sign with the key of the account that the request names, for this chain, these contracts and this catalogue.
TargetNotAllowed 403
    The URL points to an address that this server does not fetch from.
    Use a public address, or ask the operator to add the host to gateway.allowed_hosts.
TokenExpired 401 retry new_token
    The token has expired.
    Ask for a new token; a stream resumes from its last event id or offset.
TokenReused 401
    What the wallet signed, or the token of the session, was used before.
    Sign in again, with a new jti or nonce.
UploadShareUsed 429 retry
    This account or network already keeps as many bytes as it may.
    Publish what you uploaded, or wait: files that no registered asset names are deleted after a day.
UploadsFull 503 retry
    This gateway has no room for more uploads now.
    Try again later; an account that holds the stake (metadata.stake) does not share strangers' room.
""")
