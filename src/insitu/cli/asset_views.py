"""An asset, as a person wants to see it before buying or after publishing."""

from typing import TYPE_CHECKING

from insitu.cli.documents import published_at
from insitu.cli.leaving import describe_leaving
from insitu.cli.render import ago, name_of, plain
from insitu.cli.views import PAID_OUT, amount, now, state_line
from insitu.domain.readable import SAID, contents_line, duration, size

if TYPE_CHECKING:
    from insitu.api.metadata_v1 import AssetStatus
    from insitu.domain.compute_service import ComputeService
    from insitu.domain.ddo import Ddo
    from insitu.domain.policy import Policy
    from insitu.ports.chain import TokenInfo
    from insitu.sdk.containers import Known

Facts = list[tuple[str, str]]


def asset_facts(
    ddo: "Ddo", owner: str, status: "AssetStatus", token: "TokenInfo", known: "Known"
) -> list[tuple[str, Facts]]:
    """Return headings with names and values: the asset, then each compute service, or the stages of a workflow.

    ``known`` is what the images contain, by digest.
    """
    from insitu.domain.compute_service import read_compute_service

    offered = [(service.index, read_compute_service(service)) for service in ddo.compute_services]
    sections = [("", _asset(ddo, owner, status))]
    sections += [(f"compute service {index}", _service(service, token, known)) for index, service in offered]
    if "workflow" in ddo.main:
        sections.append(("stages", _stages(ddo)))
    return sections


def _asset(ddo: "Ddo", owner: str, status: "AssetStatus") -> Facts:
    from insitu.domain.asset import Asset

    main, since = ddo.main, published_at(ddo)
    files = Asset.read(main).files
    known = [file.size for file in files if file.size is not None]
    attributes = ddo.metadata.attributes if ddo.metadata is not None else None
    described = (attributes.additional_information or {}) if attributes is not None else {}
    algorithm = main.get("algorithm")
    return [
        ("name", name_of(str(main.get("name") or ""))),
        ("DID", str(ddo.id)),
        ("type", name_of(ddo.asset_type)),
        ("state", state_line(status)),
        ("owner", owner),
        ("author", plain(str(main.get("author") or ""))),
        ("published", ago(since, now()) if since else ""),
        ("license", plain(str(main.get("license") or ""))),
        ("files", f"{len(files)}, {size(sum(known))}" if known else str(len(files)) if files else ""),
        ("starts with", plain(str(algorithm.get("entrypoint") or "")) if isinstance(algorithm, dict) else ""),
        ("tags", plain(", ".join(str(tag) for tag in described.get("tags") or []))),
        ("description", plain(str(described.get("description") or ""))),
        ("checksum", status.checksum),
    ]


def _service(service: "ComputeService", token: "TokenInfo", known: "Known") -> Facts:
    servers = [
        f"{plain(server.server_id or '')}: {amount(server.price, token)}, {_cores(server.cpu)}, "
        f"{plain(server.memory)} memory, {plain(server.disk)} disk, at most {duration(server.max_execution_time)}"
        for server in service.servers
    ]
    images = [
        plain(str(image))
        + (f"\n  with {plain(contents_line(found))}" if (found := known.get(image.digest or "")) else "")
        for image in service.containers
    ] or ["none, so nothing can run; insitu update --image names one"]
    return [
        ("price", f"{amount(service.price, token)} for each agreement, plus the server's price"),
        ("money back", PAID_OUT),
        ("runs until", f"{duration(service.timeout)} after the purchase"),
        ("servers", "\n".join(servers)),
        ("images", "\n".join(images)),
        *_rules(service.policy),
        ("can leave", describe_leaving(service)),
        ("without a limit", ", ".join(service.policy.missing_budgets)),
    ]


def _cores(number: str) -> str:
    return f"{plain(number)} {'core' if number == '1' else 'cores'}"


def _rules(policy: "Policy") -> Facts:
    """Return the owner's rules; what is missing is not limited."""
    if policy.allows_any:
        allowed = "any"
    else:
        listed = policy.algorithms if isinstance(policy.algorithms, tuple) else ()
        allowed = "\n".join([f"{plain(algorithm.did)}@{plain(algorithm.checksum)}" for algorithm in listed] or ["none"])
    output = policy.output
    limits = [
        f"{size(output.max_bytes)}" if output.max_bytes is not None else "",
        f"{output.max_files} files" if output.max_files is not None else "",
        f"only {', '.join(plain(kind) for kind in output.types)}" if output.types is not None else "",
    ]
    consumers = (policy.consumers,) if isinstance(policy.consumers, str) else policy.consumers or ("none",)
    return [
        ("algorithms", allowed),
        ("trusted publishers", "\n".join(policy.publishers)),
        ("consumers", "\n".join(consumers)),
        ("may be used", plain(policy.use or "")),
        ("output", ", ".join(limit for limit in limits if limit) or "not limited by the owner"),
        ("logs", {"live": "shown while it runs", "none": "not shown"}.get(policy.effective_logs, "shown after review")),
        ("executions", f"at most {policy.max_executions} for each agreement"),
        ("revisions", SAID[policy.revisions]),
        ("parameters", plain(", ".join(policy.parameters or ())) or "none can be set"),
        ("failures", SAID["free" if policy.failures_are_free else "charged"]),
        ("data", SAID[policy.data]),
        ("not obeyed here", plain(", ".join(policy.not_understood))),
    ]


def _stages(ddo: "Ddo") -> Facts:
    from insitu.domain.workflow import read_workflow

    facts = []
    for stage in read_workflow(ddo).ordered_stages:
        inputs = [
            f"output of stage {source.previous_stage}" if source.previous_stage is not None else plain(source.id or "–")
            for source in stage.ordered_inputs
        ]
        settings = [f"--{plain(name)}={plain(str(value))}" for name, value in stage.configuration.items()]
        lines = [
            plain(stage.stage_type),
            f"algorithm {plain(stage.transformation.id or '–')}",
            *(f"input     {source}" for source in inputs),
            " ".join(settings),
        ]
        facts.append((str(stage.number), "\n".join(line for line in lines if line)))
    return facts
