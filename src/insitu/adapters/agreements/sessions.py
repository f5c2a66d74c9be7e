"""What wallets signed to sign in: that it was used, and the sessions that it opened."""

from datetime import datetime, timedelta

from insitu.adapters.sql import Connection, milliseconds
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.agreement_records import WalletSession

MOST = 32
"""Sessions of one account. One more ends the one that was renewed least recently."""
MOST_OF_ALL = 50_000
"""Sessions of all accounts together, because accounts cost nothing."""
KEPT = timedelta(minutes=1)
"""For how long what was used stays known after it expired: it may have been read just before, and judged since."""


def use_assertion(db: Connection, issuer: Address, jti: str, expires: datetime, now: datetime) -> None:
    """Remember what a wallet signed until it has expired. Raises ``TokenReused``."""
    db.execute("DELETE FROM assertions WHERE expires_at < ?", (milliseconds(now - KEPT),))
    added = db.execute(
        "INSERT INTO assertions VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (issuer.lower(), jti, milliseconds(expires))
    )
    if not added.rowcount:
        raise InsituError("TokenReused", "the jti or nonce of what the wallet signed has been used before")


def open_session(db: Connection, session: WalletSession, now: datetime) -> None:
    """Store a new session, and forget those that are over. Raises ``RequestFrequencyExceeded``."""
    account = session.account.lower()
    db.execute("DELETE FROM sessions WHERE idle_until < ?", (milliseconds(now),))
    db.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
        (session.session_id, session.secret, account, milliseconds(session.idle_until), session.model_dump_json()),
    )
    db.execute(
        "DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions"
        " WHERE account = ? AND session_id != ? ORDER BY idle_until DESC LIMIT 1000 OFFSET ?)",
        (account, session.session_id, MOST - 1),
    )
    held, first = db.execute("SELECT count(*), min(idle_until) FROM sessions").fetchone()
    if held > MOST_OF_ALL:
        detail = f"this gateway keeps at most {MOST_OF_ALL} sessions; a sign-in for one operation needs none"
        seconds = max(1, -(-(first - milliseconds(now)) // 1000))
        raise InsituError("RequestFrequencyExceeded", detail, retryAfter=seconds)


def find(db: Connection, session_id: str, now: datetime) -> WalletSession | None:
    """Return a session that is not over."""
    row = db.execute(
        "SELECT document FROM sessions WHERE session_id = ? AND idle_until >= ?", (session_id, milliseconds(now))
    ).fetchone()
    return WalletSession.model_validate_json(row["document"]) if row is not None else None


def renew(db: Connection, renewed: WalletSession, spent: str) -> bool:
    """Replace the hash of the renewing token if it is still ``spent``; otherwise end the session."""
    changed = db.execute(
        "UPDATE sessions SET idle_until = ?, document = ?, secret = ? WHERE session_id = ? AND secret = ?",
        (milliseconds(renewed.idle_until), renewed.model_dump_json(), renewed.secret, renewed.session_id, spent),
    )
    if not changed.rowcount:
        db.execute("DELETE FROM sessions WHERE session_id = ?", (renewed.session_id,))
    return bool(changed.rowcount)
