"""Errors of the installation: settings, keys, stores, images, peers."""

from insitu.domain.error_table.shape import read_rows

INFRASTRUCTURE = read_rows("""
AlreadyRunning 409
    Another process is using this data folder.
    Stop it, or use another folder.
ArchiveInvalid 422
    The image archive is broken or unsafe.
    Export the image again as an OCI layout.
DatabaseUnavailable 503 retry
    The database does not answer.
    Check that it is running and that its address is right, then try again.
DemoFailed 500
    A check of the demo failed.
    Read the demo's log, and report it with the line that failed.
ExtraMissing 501
    This part is not installed.
    Install what the detail names; insitu's own wheel comes from make wheel, in a clone.
FileMissing 404
    There is no such file or folder on this machine.
    Check the path; a data set's file at the provider is named by its file: url.
FileUnusable 500
    A file or folder of this machine cannot be read or written.
    Check the path, its permissions, and the free space.
FolderNotEmpty 409
    A download would replace something that is already there.
    Name a new folder, or replace files of the same names: --force, or overwrite=True in Python.
ImageInUse 409
    An execution is using this image.
    Wait until it ends.
ImageUnknown 404
    No image with this digest is here.
    List the images, then build, import or pull it.
InternalError 500
    Something went wrong that should not have.
    Report it with the request id.
IsolationNotEnforced 503
    The cluster does not seal a Compute Pod, so it runs no algorithm.
    Set cluster.runtime_class to a class without network, or install a network plugin that enforces policies.
KeyAmbiguous 409
    There are several keys, and none is named.
    Name one: --account NAME, INSITU_ACCOUNT, or account= in Python.
KeyExists 409
    A key with this name already exists.
    Choose another name.
KeyInvalid 422
    This is not a usable key.
    Export the key again, or create one.
KeyNameInvalid 400
    A key cannot have this name.
    Use a-z, 0-9, '.', '_' and '-'; begin with a letter or a digit.
KeyNotFound 404
    There is no such key.
    List the keys, or create one.
KeyPasswordWrong 403
    The password does not open the key file.
    Give the password of this key file.
KnownKeysExposed 400
    Others could reach a provider whose keys everyone knows.
    Listen on 127.0.0.1, or name a chain with chain.rpc_url; chain.expose_known_keys = true accepts the risk.
ObjectStoreRefused 500 retry after_repair
    The object store refused the request.
    Check the bucket, region, credentials and permissions: run insitu doctor.
ObjectStoreUnavailable 503 retry
    The object store does not answer.
    Check that it is running and that its address is right, then try again.
PeerUnavailable 503 retry
    Another part of the system does not answer.
    Check that it is running and that its address is right; insitu up starts a provider on this machine.
PortTaken 409
    A port cannot be used.
    Stop what uses it, or choose another in the settings: server.port, chain.embedded_port.
ReceiptInvalid 422
    A signature or hash in the receipt does not match.
    Do not trust the receipt, or the files that differ from it.
ReceiptUnreadable 422
    This is not a receipt.
    Use the file that insitu receipt ID -o FILE writes.
RuntimeUnavailable 503
    No container runtime that can seal an algorithm was found.
    As the provider, run insitu doctor and follow its advice; as a consumer, use another provider until then.
SchemaTooNew 500
    The database was written by a newer version.
    Start that version, or restore a backup.
SettingsInvalid 400
    A setting is unknown or has a wrong value.
    Correct the setting that the detail names.
StorageFailed 500 retry after_repair
    The storage failed.
    Check the disk and the permissions of the data folder.
""")
