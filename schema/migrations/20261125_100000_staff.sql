-- Who works here. What opens a door stands here and in no event: passwords as Argon2id, the rest as
-- SHA-256 of what was drawn at random.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (71, 'StaffAccountOpened'),
    (72, 'StaffRoleSet'),
    (73, 'StaffAccountClosed'),
    (74, 'ApiKeyIssued'),
    (75, 'ApiKeyRevoked');

CREATE TABLE vault.staff_account (
    account uuid NOT NULL,
    login text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL,
    is_closed boolean NOT NULL DEFAULT false,
    CONSTRAINT staff_account_key PRIMARY KEY (account),
    CONSTRAINT staff_account_login UNIQUE (login)
);

-- A refresh token is good once: the next takes its place. One that was used before ends the session.
CREATE TABLE vault.staff_session (
    session uuid NOT NULL,
    account uuid NOT NULL,
    refresh_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT staff_session_key PRIMARY KEY (session),
    CONSTRAINT staff_session_account FOREIGN KEY (account) REFERENCES vault.staff_account
);
CREATE INDEX staff_session_by_account ON vault.staff_session (account);

CREATE TABLE vault.api_key (
    key uuid NOT NULL,
    secret_hash bytea NOT NULL,
    label text NOT NULL,
    scopes text[] NOT NULL,
    commission_basis_points integer,
    revoked_at timestamptz,
    CONSTRAINT api_key_key PRIMARY KEY (key)
);

GRANT SELECT, INSERT, UPDATE ON vault.staff_account, vault.staff_session, vault.api_key
    TO quartermaster_application;
