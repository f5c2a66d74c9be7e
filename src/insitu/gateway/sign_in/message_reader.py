"""Messages of ERC-4361, which a browser wallet shows and signs on the page of this gateway or of a marketplace."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from insitu.domain.errors import InsituError
from insitu.domain.sign_in_message import SignInMessage, read_sign_in_message
from insitu.domain.signatures import account_signature, personal_digest
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.sign_in import LEEWAY, LONGEST, SignIn, require_prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReader:
    """Reads messages for this gateway. Each opens a session for the audiences that it lists under Resources."""

    ports: GatewayPorts

    def read(self, text: str, signature: str, now: datetime) -> SignIn:
        """Read a message.

        Raises ``InvalidToken``, ``OriginNotAllowed``, ``TokenExpired``, ``AudienceMismatch``, ``SignatureMismatch``.
        """
        message, configuration = read_sign_in_message(text), self.ports.configuration
        self._require_page(message)
        if message.uri != configuration.token_endpoint:
            raise InsituError("AudienceMismatch", f"the message's URI must be {configuration.token_endpoint}")
        chain_id = self.ports.chain.agreements.chain_id
        if message.chain_id != chain_id:
            raise InsituError(
                "InvalidToken", f"the message is for chain {message.chain_id}, this gateway for {chain_id}"
            )
        issued, expires = map(datetime.fromisoformat, (message.issued_at, message.expiration_time))
        require_prompt(issued, expires, now)
        if expires - issued > LONGEST:
            raise InsituError("InvalidToken", "a message is valid for at most 10 minutes from Issued At on")
        if message.not_before is not None and datetime.fromisoformat(message.not_before) > now + LEEWAY:
            raise InsituError("InvalidToken", f"the message is not valid before {message.not_before}")
        return SignIn(
            account=message.address,
            digest=personal_digest(text.encode()),
            signature=account_signature(signature),
            once=message.nonce,
            expires=expires,
            operations=configuration.operations(message.resources),
            restrictions={},
            session=True,
        )

    def _require_page(self, message: SignInMessage) -> None:
        """Refuse a message of any other page: one that looks like this gateway's could have asked for it."""
        allowed = (self.ports.configuration.public_url, *self.ports.configuration.marketplaces)
        for origin in allowed:
            page = urlsplit(origin)
            if message.domain == page.netloc and message.scheme in (None, page.scheme):
                return
        page_of_message = f"{message.scheme or 'https'}://{message.domain}"
        raise InsituError("OriginNotAllowed", f"wallets do not sign in here on {page_of_message}")
