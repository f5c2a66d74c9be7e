"""What the urls in a list of files mean here: how the plan names each file, and how its bytes are read.

=============  =========================================  =======================
url            who may seal it                            in the plan
=============  =========================================  =======================
``file:``      creators that settings trust, in a root    mount, in place
``pvc:``       creators that settings trust               claim
``http(s):``   anyone; public addresses                   fetch
``s3:`` …      creators that settings trust               fetch
``upload:``    the account that uploaded it               fetch
``blob:``      this gateway, for results                  fetch
=============  =========================================  =======================

The account that had the list sealed is checked whenever a file is opened. A public list names only ``http(s):``.
"""

import posixpath
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from insitu.domain.errors import InsituError
from insitu.domain.file_names import collision_key, first_collision, safe_name, safe_path
from insitu.domain.ids import Address
from insitu.domain.plan import Claim, Fetch, FileSource, InputFile, Mount
from insitu.domain.service import File
from insitu.gateway.files.list_reader import Listed
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_records import Upload

WEB = frozenset({"http", "https"})
PLACED = frozenset({"file", "pvc"})
"""At the provider: mounted, never downloadable."""
OWN = frozenset({"blob", "upload"})


def blob_url(sha256: str) -> str:
    """Return the url of a file of a result."""
    return f"blob:{sha256}"


def upload_url(upload_id: str) -> str:
    """Return the url of an uploaded file."""
    return f"upload:{upload_id}"


def is_own(file: File) -> bool:
    """Return whether the bytes are in this gateway's blob store."""
    return _split(file).scheme in OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOpener:
    """Decides what each url means here, and opens the files that are not mounted in place."""

    ports: GatewayPorts

    async def check(self, file: File, sealer: Address | None) -> None:
        """Refuse a url that this account may not name; without an account, one that a public list may not name.

        Raises ``InvalidRequest``, ``InvalidDocument``, ``CreatorNotAllowed``, ``TargetNotAllowed``, ``NotFound``.
        """
        url = _split(file)
        if url.scheme in WEB:
            await self.ports.sources.check(url.geturl())
        elif sealer is None:
            detail = f"file {file.index} has a {url.scheme}: url in a public list; put it into a sealed list"
            raise InsituError("InvalidDocument", detail)
        elif url.scheme == "upload":
            await self._upload_digest(url.path, sealer)
        elif url.scheme == "blob":
            if sealer.lower() != self.ports.provider.lower():
                raise InsituError("InvalidDocument", "blob: is for results: upload the file and name the upload")
        else:
            self.require_trusted(url.scheme, sealer)
            if url.scheme == "file":
                self.root_of(unquote(url.path))
            if url.scheme not in PLACED:
                await self.ports.sources.check(url.geturl())

    async def plan(self, listed: Listed, prefix: str, *, folders: bool = False) -> tuple[InputFile, ...]:
        """Return the files of one volume.

        Parameters
        ----------
        prefix
            Makes the references of fetched files unique within a plan.
        folders
            Keep the folders in names, as an algorithm of several files needs them. Otherwise they become part of
            the name.

        Raises what :meth:`check` raises, and ``InvalidDocument`` for unsafe or colliding names.
        """
        planned: list[InputFile] = []
        taken: set[str] = set()
        for file in listed.files:
            await self.check(file, listed.sealer)
            index = file.index or 0
            name = _volume_name(file, single=len(listed.files) == 1, folders=folders)
            if collision_key(name) in taken:
                head, slash, tail = name.rpartition("/")
                name = f"{head}{slash}{index}-{tail}"
            taken.add(collision_key(name))
            source = self._source(_split(file), f"{prefix}{index}")
            planned.append(InputFile(index=index, name=name, source=source, sha256=file.sha256, size=file.size))
        collision = first_collision(file.name for file in planned)
        if collision is not None:
            raise InsituError("InvalidDocument", f"{collision[0]} and {collision[1]} cannot be in one folder")
        return tuple(planned)

    async def open(self, file: File, sealer: Address | None) -> AsyncIterator[bytes]:
        """Stream the bytes of a file.

        Raises ``FileNotDownloadable`` for a file mounted in place, ``ConfigurationFailed``, ``TargetNotAllowed``.
        """
        url = _split(file)
        if url.scheme in PLACED:
            raise InsituError("FileNotDownloadable", f"file {file.index} never leaves the provider")
        sha256 = await self.stored_digest(file, sealer)
        return self.ports.sources.open(url.geturl()) if sha256 is None else self.ports.blobs.open(sha256)

    async def stored_digest(self, file: File, sealer: Address | None) -> str | None:
        """Return the SHA-256 of a file in this gateway's blob store, or None for a file that is elsewhere.

        Raises what :meth:`check` raises.
        """
        await self.check(file, sealer)
        url = _split(file)
        if url.scheme == "blob":
            return _sha256(url.path)
        return await self._upload_digest(url.path, sealer) if url.scheme == "upload" and sealer is not None else None

    async def require_there(self, file: File) -> None:
        """Refuse an object that its store does not return, before a document names it. Call :meth:`check` first.

        Web servers are not asked: anyone may name their urls, and this gateway sends no requests for strangers.

        Raises ``ObjectUnreadable``.
        """
        url = _split(file)
        if url.scheme in WEB | PLACED | OWN:
            return
        try:
            await anext(self.ports.sources.open(url.geturl()), b"")
        except InsituError as error:
            if error.code != "ConfigurationFailed":
                raise
            raise InsituError("ObjectUnreadable", f"file {file.index}: {error.detail}") from error

    async def complete(self, file: File, sealer: Address) -> File:
        """Return an uploaded file with the length and checksum of the upload.

        Raises ``NotFound``; ``InvalidDocument`` when the list states another checksum.
        """
        url = _split(file)
        if url.scheme != "upload":
            return file
        upload = await self._upload(url.path, sealer)
        if file.sha256 not in (None, upload.sha256):
            raise InsituError("InvalidDocument", f"the checksum of file {file.index} is not that of its upload")
        return file.with_members(checksum=upload.sha256, checksumType="sha256", contentLength=str(upload.size))

    def require_trusted(self, scheme: str, account: Address) -> None:
        """Refuse an account that may not name files on the provider's machines. Raises ``CreatorNotAllowed``."""
        if not self.ports.configuration.trusts(account):
            raise InsituError("CreatorNotAllowed", f"{scheme}: urls are not allowed for {account}")

    def root_of(self, path: str) -> str:
        """Return the data root of a path. This only applies the rule; whoever opens the path follows no links.

        Raises ``InvalidRequest``, ``CreatorNotAllowed``.
        """
        plain = path.rstrip("/")
        if posixpath.normpath(plain) != plain or "\0" in plain or not plain.startswith("/"):
            raise InsituError("InvalidRequest", "a file: url needs an absolute path without . and ..")
        roots = [root.rstrip("/") for root in self.ports.configuration.data_roots]
        fitting = [root for root in roots if plain == root or plain.startswith(root + "/")]
        if not fitting:
            raise InsituError(
                "CreatorNotAllowed",
                "the path is not inside a data root of this gateway; insitu up --data FOLDER names one",
            )
        return max(fitting, key=len)

    def _source(self, url: SplitResult, reference: str) -> FileSource:
        if url.scheme == "file":
            path = unquote(url.path)
            return Mount(path=path.rstrip("/"), root=self.root_of(path))
        if url.scheme == "pvc":
            claim, _, path = url.path.lstrip("/").partition("/")
            return Claim(claim=safe_name(claim), path=safe_path(path.rstrip("/")) if path.rstrip("/") else "")
        return Fetch(reference=reference)

    async def _upload_digest(self, upload_id: str, sealer: Address) -> str:
        return (await self._upload(upload_id, sealer)).sha256

    async def _upload(self, upload_id: str, sealer: Address) -> Upload:
        upload = await self.ports.agreements.upload(upload_id)
        if upload is None or upload.owner.lower() != sealer.lower():
            raise InsituError("NotFound", f"{sealer} has no upload {upload_id[:80]!r}")
        return upload


def _split(file: File) -> SplitResult:
    try:
        url = urlsplit(file.url or "")
    except ValueError:
        url = SplitResult("", "", "", "", "")
    if not url.scheme or (url.scheme in PLACED | OWN and url.netloc not in ("", "localhost")):
        raise InsituError("InvalidRequest", f"file {file.index} has no readable url", pointer="/files")
    return url


def _volume_name(file: File, *, single: bool, folders: bool) -> str:
    """Return the path of a file in its volume. A folder that is the only entry is the volume itself."""
    url = _split(file)
    is_folder = url.scheme in PLACED and url.path.endswith("/")
    if single and is_folder:
        return ""
    name = file.name or posixpath.basename(unquote(url.path).rstrip("/")) or f"file-{file.index or 0}"
    return safe_path(name) if folders else safe_name(safe_path(name).replace("/", "_"))


def _sha256(text: str) -> str:
    if len(text) != 64 or any(digit not in "0123456789abcdef" for digit in text):
        raise InsituError("InvalidRequest", "blob: needs 64 hexadecimal digits")
    return text
