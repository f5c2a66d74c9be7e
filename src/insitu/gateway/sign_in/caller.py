"""The account behind a request, as its access token says."""

from dataclasses import dataclass
from datetime import datetime

from insitu.api.gateway_v1 import Operation
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId, ExecutionId


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that calls, the operation, and when the token expires. Ids in the token restrict it to them."""

    address: Address
    operation: Operation
    expires: datetime
    agreement: AgreementId | None = None
    execution: ExecutionId | None = None
    did: str | None = None

    def require(
        self, agreement: AgreementId | None = None, execution: ExecutionId | None = None, did: str | None = None
    ) -> None:
        """Refuse ids that the token does not cover. Raises ``AudienceMismatch``."""
        pairs = ((self.agreement, agreement), (self.execution, execution), (self.did, did))
        for allowed, wanted in pairs:
            if allowed is not None and wanted is not None and allowed != wanted:
                raise InsituError("AudienceMismatch", f"the token was made for {allowed}, not for {wanted}")
