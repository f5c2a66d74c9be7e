"""Errors of the installation: settings, keys, stores, images, peers."""

from insitu.domain.error_table.shape import ErrorDefinition as E

INFRASTRUCTURE = (
    E("AlreadyRunning", 409, "Another process uses this data folder.", "Stop it, or use another folder."),
    E("ArchiveInvalid", 422, "The image archive is broken or unsafe.", "Export the image again as an OCI layout."),
    E(
        "DatabaseUnavailable",
        503,
        "The database does not answer.",
        "Check that it is running and that its address is right, then try again.",
        retry=True,
    ),
    E(
        "DemoFailed",
        500,
        "The demo saw something else than it should.",
        "Read the demo's log, and report it with the line that failed.",
    ),
    E("ExtraMissing", 501, "This part is not installed.", "Install the extra that the detail names."),
    E(
        "FolderNotEmpty",
        409,
        "Something is there already that a download would replace.",
        "Name a new folder, or have files of the same names replaced: --force, overwrite=True in Python.",
    ),
    E("ImageInUse", 409, "An execution uses this image.", "Wait for its end."),
    E("ImageUnknown", 404, "No image with this digest is here.", "List the images, then build, import or pull it."),
    E("InternalError", 500, "Something went wrong that should not.", "Report it with the request id."),
    E(
        "IsolationNotEnforced",
        503,
        "The cluster does not seal a Compute Pod, so no algorithm runs on it.",
        "Set cluster.runtime_class to a class without network, or install a network plugin that enforces policies.",
    ),
    E(
        "KeyExists",
        409,
        "There is a key of this name already.",
        "Choose another name.",
    ),
    E(
        "KeyInvalid",
        422,
        "This is no usable key.",
        "Export the key again, or create one.",
    ),
    E("KeyNotFound", 404, "There is no such key.", "List the keys, or create one."),
    E("KeyPasswordWrong", 403, "The password does not open the key file.", "Give the password of this key file."),
    E(
        "ObjectStoreRefused",
        500,
        "The object store refuses.",
        "Check bucket, region, credentials and rights: run insitu doctor.",
        retry=True,
    ),
    E(
        "ObjectStoreUnavailable",
        503,
        "The object store does not answer.",
        "Check that it is running and that its address is right, then try again.",
        retry=True,
    ),
    E(
        "PeerUnavailable",
        503,
        "Another part of the system does not answer.",
        "Check that it is running and that its address is right.",
        retry=True,
    ),
    E(
        "RuntimeUnavailable",
        503,
        "No container runtime that seals an algorithm is here.",
        "The provider's operator runs insitu doctor and follows it; until then use another provider.",
    ),
    E("SchemaTooNew", 500, "The database was written by a newer version.", "Start that version, or restore a backup."),
    E(
        "SettingsInvalid",
        400,
        "A setting is unknown or has a wrong value.",
        "Correct the setting that the detail names.",
    ),
    E("SignatureInvalid", 422, "A signature or hash of the receipt does not fit.", "Do not trust the receipt."),
    E(
        "StorageFailed",
        500,
        "The storage failed.",
        "Check the disk and the permissions of the data folder.",
        retry=True,
    ),
)
