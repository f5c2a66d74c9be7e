"""What a provider on this machine offers publishers: accounts, images, servers, and keys."""

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue

from insitu.domain.errors import InsituError
from insitu.domain.hosts import is_loopback
from insitu.domain.ids import Address, read_address
from insitu.domain.image_contents import ImageContents
from insitu.domain.units import format_bytes, format_cores
from insitu.gateway.configuration import FileKey, GatewayConfiguration, Keyring
from insitu.ports.keys import Signer
from insitu.settings.caller import provider_password
from insitu.settings.sections import Settings

DEVELOPMENT_OWNERS = ("owner", "second-owner")
"""Development accounts that may publish files of this machine, only on the embedded chain."""

FUNDED = ("provider", "owner", "second-owner", "consumer", "second-consumer", "relayer")
"""Development accounts that get tokens and gas on the embedded chain."""

DEPLOYER = "deployer"
"""The development account that owns the embedded chain's contracts and may mint its token."""


def provider_signer(settings: Settings) -> Signer:
    """Return the chain key of this provider: a development account, else a key file generated at the first start.

    The password of the key file comes from INSITU_PROVIDER_PASSWORD or, for an unattended machine, from a generated
    file beside it that only its owner can read.
    """
    from insitu.adapters.keys.dev import dev_signer
    from insitu.adapters.keys.secrets import stored_password
    from insitu.stack.parts import open_keys

    if settings.chain.embedded:
        return dev_signer("provider")
    password = provider_password(os.environ) or stored_password(settings.folder.keys / "provider.password")
    return open_keys(settings).open_or_create("provider", password)


def curators(settings: Settings, public_url: str) -> tuple[Address, ...]:
    """Return who may hide and feature assets: whom the settings name, else on a development machine its provider.

    Everybody knows the keys of development accounts, so that is only where pages offer them: an embedded chain, and a
    catalogue that nobody else reaches.
    """
    named = tuple(read_address(account) for account in settings.metadata.curators)
    if named or not settings.chain.embedded or not is_loopback(urlsplit(public_url).hostname or ""):
        return named
    return (provider_signer(settings).address,)


def keyring(settings: Settings) -> Keyring:
    """Return the gateway's symmetric keys, each from its own file, which is generated once."""
    from insitu.adapters.keys.secrets import VersionedKeys

    files = VersionedKeys.load(_file_keys(settings))
    return Keyring(
        files=tuple(FileKey(version, files.key(version)) for version in files.versions),
        tokens=VersionedKeys.load(settings.folder.keys / "tokens.keys").newest,
        tickets=VersionedKeys.load(settings.folder.keys / "tickets.keys").newest,
    )


def rotate_file_keys(settings: Settings) -> tuple[Path, int, tuple[int, ...]]:
    """Add a key that seals file lists from the gateway's next start; the earlier keys stay and still open theirs.

    Returns the file, the new version, and all versions. Raises ``KeyNotFound``, ``KeyInvalid``, ``StorageFailed``.
    """
    from insitu.adapters.keys.secrets import VersionedKeys

    path = _file_keys(settings)
    if not path.exists():
        raise InsituError("KeyNotFound", f"there is no {path}; name the gateway's data folder with --home")
    keys = VersionedKeys.rotate(path)
    return path, keys.current, keys.versions


def _file_keys(settings: Settings) -> Path:
    return settings.folder.keys / "files.keys"


def embedded_creators(settings: Settings) -> tuple[str, ...]:
    """Return the accounts that may publish files of this machine if the settings name none: development owners."""
    from insitu.adapters.keys.dev import dev_signer

    if not settings.chain.embedded:
        return ()
    return tuple(dev_signer(name).address for name in DEVELOPMENT_OWNERS)


def development_accounts(settings: Settings) -> dict[str, str]:
    """Return name and address of the accounts of the embedded chain; none on another chain.

    All are funded except the last, ``deployer``, which owns the contracts and may mint.
    """
    from insitu.adapters.keys.dev import dev_signer

    names = (*FUNDED, DEPLOYER) if settings.chain.embedded else ()
    return {name: dev_signer(name).address for name in names}


async def offered_containers(settings: Settings) -> tuple[dict[str, JsonValue], ...]:
    """Return the images that publishers may choose from: those of the settings, else all that this machine has."""
    from insitu.stack.parts import open_images

    named = settings.gateway.containers
    if named:
        return tuple({"image": image.image, "tag": image.tag, "checksum": image.checksum} for image in named)
    stored = await open_images(settings).list()
    return tuple({"image": image.name, "tag": image.tag, "checksum": image.digest} for image in stored)


async def image_contents(settings: Settings) -> dict[str, ImageContents]:
    """Return what the images of this machine contain, by digest."""
    from insitu.stack.parts import open_images

    stored = await open_images(settings).list()
    return {
        image.digest: ImageContents.model_validate(image.contents) for image in stored if image.contents is not None
    }


def gateway_configuration(settings: Settings, public_url: str, metadata_url: str) -> GatewayConfiguration:
    """Return the gateway's configuration: what a setting of the same name says, and what follows from others."""
    from insitu import __version__
    from insitu.domain.ids import read_address

    gateway = settings.gateway
    servers: list[dict[str, JsonValue]] = [
        {
            "serverId": server.server_id,
            "serverType": server.server_type,
            "price": server.price,
            "cpu": format_cores(int(server.cpu * 1000)),
            "gpu": str(server.gpu),
            "memory": format_bytes(server.memory),
            "disk": format_bytes(server.disk),
            "maxExecutionTime": server.max_execution_time,
        }
        for server in gateway.servers
    ]
    names = {field.name for field in fields(GatewayConfiguration)}
    sections = (gateway, settings.limits, settings.metadata, settings.operator)
    same: dict[str, Any] = {name: value for section in sections for name, value in section if name in names}
    chosen = GatewayConfiguration(version=__version__, public_url=public_url, metadata_url=metadata_url, **same)
    return replace(
        chosen,
        creators=tuple(read_address(account) for account in gateway.creators or embedded_creators(settings)),
        data_roots=tuple(str(root) for root in gateway.data_roots),
        free_gas_budget=_free_gas_budget(settings),
        free_compute=(
            _free_compute(settings, gateway.free_compute_per_agreement, 6),
            _free_compute(settings, gateway.free_compute_per_consumer, 12),
            _free_compute(settings, gateway.free_compute_of_strangers, 48),
        ),
        coin_price=int(gateway.coin_price),
        confirmations=settings.chain.depth,
        servers=tuple(servers),
    )


def _free_gas_budget(settings: Settings) -> int | None:
    if settings.gateway.free_gas_budget is not None or settings.chain.embedded:
        return settings.gateway.free_gas_budget
    return 10**17


def _free_compute(settings: Settings, wanted: int | None, executions: int) -> int | None:
    if wanted is not None or settings.chain.embedded:
        return wanted
    return executions * max((server.max_execution_time for server in settings.gateway.servers), default=3600)
