"""What a browser wallet shows and signs to sign in (ERC-4361), in the one spelling that is accepted."""

import re
from dataclasses import dataclass
from datetime import datetime

from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address

MAX_MESSAGE = 8192
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_TEXT = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<domain>[A-Za-z0-9.:\[\]-]+) wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n\n(?:(?P<statement>[ -~]+)\n)?\n"
    r"URI: (?P<uri>[!-~]+)\nVersion: 1\nChain ID: (?P<chain_id>\d{1,20})\nNonce: (?P<nonce>[A-Za-z0-9]{8,128})\n"
    rf"Issued At: (?P<issued_at>{_TIME})\nExpiration Time: (?P<expiration_time>{_TIME})"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?(?:\nRequest ID: (?P<request_id>[!-~]*))?"
    r"\nResources:(?P<resources>(?:\n- [!-~]+)+)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInMessage:
    """A message that says who signs in, from which page, for what, and when.

    Attributes
    ----------
    scheme, domain
        The page that asked; None for ``scheme`` means https. The wallet compares them with the page.
    uri
        The token endpoint of the gateway.
    resources
        The audiences that the session is for.
    issued_at, expiration_time, not_before
        Times of RFC 3339, as they are written.
    """

    scheme: str | None = None
    domain: str
    address: Address
    statement: str | None = None
    uri: str
    chain_id: int
    nonce: str
    issued_at: str
    expiration_time: str
    not_before: str | None = None
    request_id: str | None = None
    resources: tuple[str, ...]

    def render(self) -> str:
        """Return the text that the wallet signs."""
        scheme = f"{self.scheme}://" if self.scheme is not None else ""
        optional = {"Not Before": self.not_before, "Request ID": self.request_id}
        lines = [
            f"{scheme}{self.domain} wants you to sign in with your Ethereum account:",
            self.address,
            "",
            *([self.statement] if self.statement is not None else []),
            "",
            f"URI: {self.uri}",
            "Version: 1",
            f"Chain ID: {self.chain_id}",
            f"Nonce: {self.nonce}",
            f"Issued At: {self.issued_at}",
            f"Expiration Time: {self.expiration_time}",
            *(f"{name}: {value}" for name, value in optional.items() if value is not None),
            "Resources:",
            *(f"- {resource}" for resource in self.resources),
        ]
        return "\n".join(lines)


def read_sign_in_message(text: str) -> SignInMessage:
    """Read a message. Raises ``InvalidToken`` for any text that is not exactly what its own fields render to."""
    match = _TEXT.fullmatch(text) if len(text) <= MAX_MESSAGE else None
    if match is None:
        raise InsituError("InvalidToken", "the message is not one of ERC-4361 with both times and Resources")
    fields = match.groupdict()
    for name in ("issued_at", "expiration_time", "not_before"):
        _moment(fields[name])
    resources = tuple(line.removeprefix("- ") for line in fields.pop("resources").split("\n")[1:])
    address, chain_id = read_address(fields.pop("address")), int(fields.pop("chain_id"))
    message = SignInMessage(**fields, address=address, chain_id=chain_id, resources=resources)
    if message.render() != text:
        raise InsituError("InvalidToken", "the message is not in its canonical form (EIP-55 address, plain numbers)")
    return message


def _moment(text: str | None) -> None:
    try:
        datetime.fromisoformat(text or "2000-01-01T00:00:00Z")
    except ValueError:
        raise InsituError("InvalidToken", f"{text} is not a time") from None
