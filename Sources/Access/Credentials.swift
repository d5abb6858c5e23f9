public import Domain
internal import EventCodec
public import Postgres

/// What opens doors: kept in the vault, as hashes, and in no event.
public struct Credentials: Sendable {
    private let client: PostgresClient

    public init(_ client: PostgresClient) {
        self.client = client
    }

    public struct Account: Sendable {
        public var account: AccountID
        public var login: String
        public var role: Role
        public var isClosed: Bool
    }

    public struct Key: Sendable {
        public var key: APIKeyID
        public var label: String
        public var scopes: [Role]
        public var commission: Int?
        public var isRevoked: Bool
    }

    // MARK: Accounts

    /// Keeps an account and its password's hash; nil when it is there or was there already, else the account that has the
    /// login or, where that is this one, has another.
    func keep(
        _ account: AccountID, login: String, passwordHash: String, role: Role
    ) async throws(PostgresError) -> Account? {
        let rows = try await client.run(
            """
            INSERT INTO vault.staff_account AS a (account, login, password_hash, role)
            VALUES ($1::uuid, $2::text, $3::text, $4::text)
            ON CONFLICT DO NOTHING RETURNING account
            """, [.id(account), .text(login), .text(passwordHash), .text(role.rawValue)])
        if rows.count == 1 { return nil }
        let known = try await client.run(
            """
            SELECT account, login, role, is_closed FROM vault.staff_account
            WHERE login = $1::text OR account = $2::uuid
            """, [.text(login), .id(account)])
        return Self.accounts(known).first { $0.account != account || $0.login != login }
    }

    /// Takes what is newer than what is known, and ends the account's sessions where that is something else.
    func change(
        _ account: AccountID, role: Role, isClosed: Bool, asOf position: Int64,
        password: (hash: String, setAt: Int64)?
    ) async throws(PostgresError) {
        let (role, setAt) = (PostgresValue.text(role.rawValue), password?.setAt ?? 0)
        _ = try await client.run([
            // Nobody begins a session meanwhile.
            PostgresCall(
                "SELECT FROM vault.staff_account WHERE account = $1::uuid FOR UPDATE",
                [.id(account)]),
            PostgresCall(
                """
                UPDATE vault.staff_session SET ended_at = clock_timestamp()
                WHERE account = $1::uuid AND ended_at IS NULL AND EXISTS (
                    SELECT FROM vault.staff_account a
                    WHERE a.account = $1::uuid AND (password_position < $5::bigint
                        OR known_position <= $4::bigint AND (role, is_closed) <> ($2::text, $3::bool)))
                """, [.id(account), role, .bool(isClosed), .int64(position), .int64(setAt)]),
            PostgresCall(
                """
                UPDATE vault.staff_account
                SET role = $2::text, is_closed = $3::bool, known_position = $4::bigint
                WHERE account = $1::uuid AND known_position <= $4::bigint
                """,
                [.id(account), role, .bool(isClosed), .int64(position)]),
            PostgresCall(
                """
                UPDATE vault.staff_account
                SET password_hash = $2::text, password_position = $3::bigint
                WHERE account = $1::uuid AND password_position < $3::bigint
                """,
                [.id(account), .optional(password) { .text($0.hash) }, .int64(setAt)]),
        ])
    }

    func account(
        login: String
    ) async throws(PostgresError) -> (account: Account, passwordHash: String)? {
        let rows = try await client.run(
            """
            SELECT account, login, role, is_closed, password_hash FROM vault.staff_account
            WHERE login = $1::text
            """, [.text(login)])
        return rows.count == 0 ? nil : (Account(rows, 0), rows.text(0, 4))
    }

    public static let accounts = PostgresCall(
        "SELECT account, login, role, is_closed FROM vault.staff_account ORDER BY is_closed, login LIMIT 1000",
        [])

    public static func accounts(_ rows: Rows) -> [Account] {
        (0..<rows.count).map { Account(rows, $0) }
    }

    // MARK: Sessions

    /// Begins a session; false when the account has been closed since its password was looked at, or has another one. Who
    /// changes it waits for this, and so sees the session that he has to end.
    func begin(
        _ session: SessionID, of account: AccountID, passwordHash: String, refreshHash: [UInt8],
        until: Instant
    ) async throws(PostgresError) -> Bool {
        let rows = try await client.run(
            """
            INSERT INTO vault.staff_session (session, account, refresh_hash, expires_at)
            SELECT $1::uuid, account, $3::bytea, $4::timestamptz FROM vault.staff_account
            WHERE account = $2::uuid AND password_hash = $5::text AND NOT is_closed
            FOR SHARE
            RETURNING session
            """,
            [
                .id(session), .id(account), .bytes(refreshHash), .timestamp(until.microseconds),
                .text(passwordHash),
            ])
        return rows.count == 1
    }

    /// Puts the next refresh token in the place of one that is used; nil when that was not the session's.
    /// A token that was used before ends the session: somebody has a copy of it.
    func renew(
        _ session: SessionID, _ hash: [UInt8], to next: [UInt8], at now: Instant, until: Instant
    ) async throws(PostgresError) -> Account? {
        let rows = try await client.run(
            """
            UPDATE vault.staff_session s
            SET refresh_hash = CASE WHEN s.refresh_hash = $2::bytea THEN $3::bytea ELSE s.refresh_hash END,
                ended_at = CASE WHEN s.refresh_hash = $2::bytea THEN NULL ELSE clock_timestamp() END,
                expires_at = CASE WHEN s.refresh_hash = $2::bytea THEN $5::timestamptz ELSE s.expires_at END
            FROM vault.staff_account a
            WHERE s.session = $1::uuid AND a.account = s.account AND s.ended_at IS NULL
                AND s.expires_at > $4::timestamptz
            RETURNING a.account, a.login, a.role, a.is_closed, s.ended_at IS NULL
            """,
            [
                .id(session), .bytes(hash), .bytes(next), .timestamp(now.microseconds),
                .timestamp(until.microseconds),
            ])
        guard rows.count == 1, rows.bool(0, 4) else { return nil }
        let account = Account(rows, 0)
        return account.isClosed ? nil : account
    }

    /// Whoever has, or had, a token of the session may end it: he may do so because somebody else has used it.
    func end(_ session: SessionID) async throws(PostgresError) {
        _ = try await client.run(
            """
            UPDATE vault.staff_session SET ended_at = clock_timestamp()
            WHERE session = $1::uuid AND ended_at IS NULL
            """, [.id(session)])
    }

    /// The role that a session's account has now; nil when the session is over or the account closed.
    func role(of session: SessionID) async throws(PostgresError) -> Role? {
        let rows = try await client.run(
            """
            SELECT a.role FROM vault.staff_session s JOIN vault.staff_account a USING (account)
            WHERE s.session = $1::uuid AND s.ended_at IS NULL AND NOT a.is_closed
            """, [.id(session)])
        return rows.count == 0 ? nil : Role(rawValue: rows.text(0, 0))
    }

    // MARK: API keys

    func keep(_ fact: APIKeyIssued, secretHash: [UInt8]) async throws(PostgresError) {
        _ = try await client.run(
            """
            INSERT INTO vault.api_key (key, secret_hash, label, scopes, commission_basis_points)
            VALUES ($1::uuid, $2::bytea, $3::text, $4::text[], $5::int) ON CONFLICT DO NOTHING
            """,
            [
                .id(fact.key), .bytes(secretHash), .text(fact.label),
                .array(of: .text, fact.scopes.map { .text($0.rawValue) }),
                .optional(fact.commission) { .int32($0.count) },
            ])
    }

    func revoke(_ key: APIKeyID) async throws(PostgresError) {
        _ = try await client.run(
            """
            UPDATE vault.api_key SET revoked_at = clock_timestamp()
            WHERE key = $1::uuid AND revoked_at IS NULL
            """, [.id(key)])
    }

    /// A key's hash, and the roles that it acts in; nil when there is none, or it is revoked.
    func key(_ key: APIKeyID) async throws(PostgresError) -> (hash: [UInt8], scopes: [Role])? {
        let rows = try await client.run(
            """
            SELECT secret_hash, array_to_string(scopes, ' ') FROM vault.api_key
            WHERE key = $1::uuid AND revoked_at IS NULL
            """, [.id(key)])
        return rows.count == 0 ? nil : (rows.bytes(0, 0), Role.list(rows.text(0, 1)))
    }

    private static let keySelection = """
        SELECT key, label, array_to_string(scopes, ' '), commission_basis_points,
            revoked_at IS NOT NULL
        FROM vault.api_key
        """

    public static let keys = PostgresCall(
        "\(keySelection) ORDER BY revoked_at IS NOT NULL, label, key LIMIT 1000")

    public static func key(_ key: APIKeyID) -> PostgresCall {
        PostgresCall("\(keySelection) WHERE key = $1::uuid", [.id(key)])
    }

    public static func keys(_ rows: Rows) -> [Key] {
        (0..<rows.count).map { row in
            Key(
                key: rows.id(row, 0), label: rows.text(row, 1),
                scopes: Role.list(rows.text(row, 2)), commission: rows.optionalInteger(row, 3),
                isRevoked: rows.bool(row, 4))
        }
    }
}

/// One login of one member of staff.
enum Session: Sendable {}

typealias SessionID = ID<Session>

extension Role {
    fileprivate static func list(_ names: String) -> [Role] {
        names.split(separator: " ").compactMap { Role(rawValue: String($0)) }
    }
}

extension Credentials.Account {
    fileprivate init(_ rows: Rows, _ row: Int) {
        self.init(
            account: rows.id(row, 0), login: rows.text(row, 1),
            role: Role(rawValue: rows.text(row, 2)) ?? .captain, isClosed: rows.bool(row, 3))
    }
}

extension PostgresValue {
    fileprivate static func id<K>(_ id: ID<K>) -> PostgresValue {
        .uuid(PostgresUUID(high: id.entity.high, low: id.entity.low))
    }
}

extension Rows {
    fileprivate func id<K>(_ row: Int, _ column: Int) -> ID<K> {
        let uuid = uuid(row, column)
        return ID(EntityID(high: uuid.high, low: uuid.low))
    }
}
