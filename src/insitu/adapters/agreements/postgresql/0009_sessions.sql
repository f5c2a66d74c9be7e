-- What a wallet opened with one signature. The tokens themselves are not stored, only their SHA-256.

CREATE TABLE sessions (
    session_id text COLLATE "C" PRIMARY KEY,
    secret text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    idle_until bigint NOT NULL,
    document text COLLATE "C" NOT NULL
);
CREATE INDEX sessions_end ON sessions (idle_until);
CREATE INDEX sessions_account ON sessions (account, idle_until);
