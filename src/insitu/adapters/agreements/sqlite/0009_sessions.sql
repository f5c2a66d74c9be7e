-- What a wallet opened with one signature. The tokens themselves are not stored, only their SHA-256.

CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    account TEXT NOT NULL,
    idle_until INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_end ON sessions (idle_until);
CREATE INDEX sessions_account ON sessions (account, idle_until);
