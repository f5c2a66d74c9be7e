"""Strict rules of the metadata service: what every asset, data set, algorithm and workflow must say."""

from insitu.domain.algorithm import ENTRYPOINT_SCRIPT, AlgorithmAsset, split_entrypoint
from insitu.domain.asset import ALGORITHM, WORKFLOW, Asset
from insitu.domain.checks import Checker
from insitu.domain.errors import InsituError
from insitu.domain.file_names import first_collision, path_problem
from insitu.domain.service import File, Service
from insitu.domain.timestamps import is_document_time
from insitu.domain.workflow import MAX_STAGES, Workflow
from insitu.domain.workflow_rules import check_workflow

MAX_FILES = 10_000
MAX_NAME = 500


def check_metadata(service: Service, checker: Checker) -> None:
    """Check a service of type metadata. ``checker`` stands at the service's entry in the DDO."""
    main = checker.at("attributes", "main")
    try:
        asset = Asset.read(service.main, main.pointer)
    except InsituError as error:
        checker.include(error)
        return
    _check_common(asset, service, main)
    _check_files(asset.files, main.at("files"))
    if asset.type == ALGORITHM:
        _check_algorithm(service, main)
    if asset.type == WORKFLOW:
        _check_workflow(asset, main.at("workflow"))


def _check_common(asset: Asset, service: Service, checker: Checker) -> None:
    for name, text in (("name", asset.name), ("type", asset.type), ("author", asset.author)):
        checker.at(name).require(len(text or "") <= MAX_NAME, "TooLong", f"at most {MAX_NAME} characters")
    checker.at("name").require(bool(asset.name), "Required", "an asset needs a name")
    checker.at("type").require(asset.type is not None, "Required", "an asset needs a type, for instance dataset")
    checker.at("author").require(asset.author is not None, "Required", "an asset has an author")
    checker.at("license").require(asset.license is not None, "Required", "a license, or 'No License Specified'")
    checker.at("price").require("price" in service.main, "Required", "an asset has a price, even if it is 0")
    checker.at("files").require("files" in service.main, "Required", "the list of files, which may be empty")
    checker.at("dateCreated").require(
        is_document_time(asset.date_created), "WrongFormat", "a time like 2019-04-09T19:02:11Z is needed"
    )
    if asset.date_published is not None:
        checker.at("datePublished").require(
            is_document_time(asset.date_published), "WrongFormat", "a time like 2019-04-09T19:02:11Z is needed"
        )


def _check_files(files: tuple[File, ...], checker: Checker) -> None:
    if not checker.require(len(files) <= MAX_FILES, "TooMany", f"at most {MAX_FILES} files"):
        return
    seen: set[int] = set()
    for i, file in enumerate(files):
        at = checker.at(i)
        if at.at("index").require(file.index is not None, "Required", "a file needs an index"):
            at.at("index").require(file.index not in seen, "Duplicate", "two files have this index")
            seen.add(file.index or 0)
        at.at("url").require(file.url is None, "UrlNotAllowed", "URLs belong in encryptedFiles, never in main")
        at.at("contentType").require(bool(file.content_type), "Required", "a media type is needed")
        if file.name is not None:
            problem = path_problem(file.name)
            at.at("name").require(problem is None, "UnsafeName", f"the name {problem}")
        if file.checksum is not None:
            at.at("checksum").require(file.sha256 is not None, "WrongFormat", "a SHA-256: 64 hex digits")
    collision = first_collision(file.name for file in files if file.name is not None)
    checker.require(collision is None, "Duplicate", "two files have the same name, or would on some system")


def _check_algorithm(service: Service, checker: Checker) -> None:
    try:
        asset = AlgorithmAsset.read(service.main, checker.pointer)
    except InsituError as error:
        checker.include(error)
        return
    checker.at("files").require(bool(asset.files), "Required", "an algorithm has at least one file")
    for i, file in enumerate(asset.files[:MAX_FILES]):
        checker.at("files", i, "checksum").require(
            file.sha256 is not None, "Required", "every file of an algorithm has a SHA-256"
        )
    entrypoint = checker.at("algorithm", "entrypoint")
    try:
        words = split_entrypoint(asset.algorithm.entrypoint or "")
    except InsituError as error:
        entrypoint.report("WrongFormat", error.detail)
        return
    # A file without a public name may be the script. Only the encrypted list knows, so this shows at the run.
    entrypoint.require(
        bool(words) or any(file.name in (None, ENTRYPOINT_SCRIPT) for file in asset.files),
        "Required",
        f"an entrypoint is needed, or a file {ENTRYPOINT_SCRIPT}",
    )


def _check_workflow(asset: Asset, checker: Checker) -> None:
    stages = asset.workflow.get("stages") if isinstance(asset.workflow, dict) else None
    if isinstance(stages, list) and len(stages) > MAX_STAGES:
        checker.at("stages").report("TooManyStages", f"at most {MAX_STAGES} stages")
        return  # without reading thousands of them
    try:
        workflow = Workflow.read(asset.workflow if asset.workflow is not None else {}, checker.pointer)
    except InsituError as error:
        checker.include(error)
        return
    check_workflow(workflow, checker)
