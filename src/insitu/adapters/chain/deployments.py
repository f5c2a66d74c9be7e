"""The deployments file: the chain, the addresses and the first block of our contracts."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError

from insitu.adapters.chain.contracts import TEMPLATE, contract_address_name
from insitu.adapters.storage_failures import storage_errors
from insitu.domain.agreement import AgreementDomain
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.wire import WireModel


class Deployments(WireModel):
    """Addresses of one deployment.

    Attributes
    ----------
    chain_id
        The chain id of EIP-155.
    block
        The block of the first contract; nothing of ours is in an earlier one.
    contracts
        Addresses by specification name. ``NeverminedToken`` is the payment token, whatever its own name is.
    external_token
        True if the token existed before and is not our NeverminedToken.
    owner
        The account that should own the contracts that have an owner; absent in files of earlier versions.
    rpc_url
        The address of the embedded chain; absent for other chains, whose address is a setting.
    """

    chain_id: Annotated[int, Field(ge=1)]
    block: Annotated[int, Field(ge=0)]
    contracts: dict[str, Address]
    external_token: bool = False
    owner: Address | None = None
    rpc_url: str | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a deployments file.

        Raises ``DeploymentsMissing``, ``StorageFailed``, ``ContractMismatch`` if it is malformed.
        """
        try:
            found = cls.model_validate_json(path.read_bytes())
            addresses = {name: read_address(address) for name, address in found.contracts.items()}
            owner = None if found.owner is None else read_address(found.owner)
        except FileNotFoundError:
            raise InsituError("DeploymentsMissing", f"there is no deployments file at {path}") from None
        except OSError as error:
            raise InsituError("StorageFailed", f"{path}: {error.strerror}") from None
        except (ValidationError, InsituError) as error:
            raise InsituError("ContractMismatch", f"{path} is not a deployments file: {_first(error)}") from None
        return found.model_copy(update={"contracts": addresses, "owner": owner})

    def write(self, path: Path) -> None:
        """Write the file atomically. Raises ``StorageFailed``."""
        document = self.model_dump(mode="json", exclude_none=True)
        replace_file(path, (json.dumps(document, indent=2) + "\n").encode())

    def address(self, name: str) -> Address:
        """Return the address of a contract of the specification. Raises ``ContractMismatch``."""
        own = contract_address_name(name)
        if own not in self.contracts:
            raise InsituError("ContractMismatch", f"the deployments file has no {own}")
        return self.contracts[own]

    @property
    def domain(self) -> AgreementDomain:
        """The EIP-712 domain of agreements."""
        return AgreementDomain(self.chain_id, self.address(TEMPLATE))


def replace_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace the content of a file atomically, given whole or in pieces. Raises ``StorageFailed``."""
    pieces = (content,) if isinstance(content, bytes) else content
    neighbour = path.with_name(f".{path.name}.new")
    with storage_errors(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with neighbour.open("wb") as file:
            file.writelines(pieces)
        neighbour.replace(path)


def _first(error: ValidationError | InsituError) -> str:
    if isinstance(error, InsituError):
        return error.detail
    problem = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
