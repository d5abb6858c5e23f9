internal import Crypto
public import Domain
internal import EventCodec
internal import HTTPTypes
internal import Postgres
internal import Web

/// Lets members of staff in and out, and keeps what they are known by.
public struct StaffDesk: Sendable {
    /// Who is not seen for this long has to say his password again.
    public static let sessionLifetime = TimeSpan.days(14)
    /// Passwords that are checked at a time: each takes 64 MiB.
    static let checkLimit = 2

    private let gate: Gate
    private let clock: @Sendable () -> Instant
    private let attempts = Attempts<String>(of: "the password")
    private let checks = Turnstile(places: checkLimit, waiting: 50)
    /// Of their own: whoever tries out passwords must not keep an owner from changing them.
    private let hashing = Turnstile(places: 1, waiting: 50)

    public init(_ gate: Gate, clock: @escaping @Sendable () -> Instant) {
        self.gate = gate
        self.clock = clock
    }

    /// What a member of staff gets who is let in.
    public struct Admission: Sendable {
        public var account: AccountID
        public var role: Role
        public var accessToken: String
        public var expiresAt: Instant
        /// Good once, for the next admission.
        public var refreshToken: String
    }

    public func logIn(_ login: String, _ password: String) async throws -> Admission {
        let account = try await attempts.attempt(login, at: clock()) {
            try await self.account(login, password)
        }
        guard let (account, passwordHash) = account else { throw Self.wrong }
        let session: SessionID = drawn()
        let refresh = RefreshToken(session: session)
        let isBegun = try await vault { () throws(PostgresError) in
            try await gate.credentials.begin(
                session, of: account.account, passwordHash: passwordHash,
                refreshHash: refresh.hash, until: clock() + Self.sessionLifetime)
        }
        guard isBegun else { throw Self.wrong }
        return try await admission(of: account, session, refresh)
    }

    private static let wrong = Problem(
        "wrong-password", .unauthorized, "Not let in",
        detail: "there is no such login, or the password is another")

    /// The open account of this login and password, and the hash that it was held against; nil when there is none.
    private func account(
        _ login: String, _ password: String
    ) async throws -> (Credentials.Account, passwordHash: String)? {
        let known = try await vault { () throws(PostgresError) in
            try await gate.credentials.account(login: login)
        }
        let isRight = try await checks.pass {
            try await Password.isRight(password, for: known?.passwordHash)
        }
        guard let known, isRight, !known.account.isClosed else { return nil }
        return known
    }

    public func refresh(_ token: String) async throws -> Admission {
        guard let used = RefreshToken(token) else { throw Self.over }
        let next = RefreshToken(session: used.session)
        let account = try await vault { () throws(PostgresError) in
            try await gate.credentials.renew(
                used.session, used.hash, to: next.hash, at: clock(),
                until: clock() + Self.sessionLifetime)
        }
        guard let account else {
            gate.forget(used.session.entity)
            throw Self.over
        }
        return try await admission(of: account, used.session, next)
    }

    /// Ends a session, with whichever token it had; once more changes nothing.
    public func logOut(_ token: String) async throws {
        guard let used = RefreshToken(token) else { throw Self.over }
        try await vault { () throws(PostgresError) in
            try await gate.credentials.end(used.session)
        }
        gate.forget(used.session.entity)
    }

    private static let over = Problem(
        "session-over", .unauthorized, "Log in again",
        detail: "the session is over, or its token was used before")

    private func admission(
        of account: Credentials.Account, _ session: SessionID, _ refresh: RefreshToken
    ) async throws -> Admission {
        let (token, expiresAt) = try await gate.tokens.token(
            AccessTokens.Claims(account: account.account, session: session, role: account.role),
            at: clock())
        return Admission(
            account: account.account, role: account.role, accessToken: token,
            expiresAt: expiresAt, refreshToken: refresh.text)
    }

    // MARK: What the owner does

    /// What stands for a password where it must not stand: nobody without the secret can try it out.
    public func fingerprint(of password: String) -> [UInt8] {
        Array(
            HMAC<SHA256>.authenticationCode(
                for: Array(password.utf8), using: gate.secrets.key(for: "password fingerprint")))
    }

    /// Keeps an account that was opened; refuses a login that another account has, and an account that has another.
    public func keep(
        _ account: AccountID, login: String, password: String, role: Role
    ) async throws {
        let hash = try await hashing.pass { try await Password.hash(password) }
        let other = try await vault { () throws(PostgresError) in
            try await gate.credentials.keep(account, login: login, passwordHash: hash, role: role)
        }
        if let other {
            throw other.account == account ? Self.known(other) : Self.taken(login)
        }
    }

    /// Refuses a login that an account has already, other than `account`.
    public func checkFree(_ login: String, for account: AccountID) async throws {
        let known = try await vault { () throws(PostgresError) in
            try await gate.credentials.account(login: login)
        }
        if let known, known.account.account != account { throw Self.taken(login) }
    }

    private static func known(_ account: Credentials.Account) -> Problem {
        Problem(
            "already-exists", .conflict, "Already there",
            detail: "the account \(account.account) has the login \(account.login)",
            figures: [("id", .text(account.account.description))])
    }

    private static func taken(_ login: String) -> Problem {
        Problem(
            "login-taken", .conflict, "The login is taken",
            detail: "another account has the login \(login)")
    }

    /// Makes of the account what it is as of a position of the log, and has it log in again if that is something else; a
    /// password counts from the event on that set it. What is newer already stays.
    public func change(
        _ account: AccountID, role: Role, isClosed: Bool, asOf position: Int64,
        password: (text: String, setAt: Int64)?
    ) async throws {
        var kept: (hash: String, setAt: Int64)?
        if let password {
            let hash = try await hashing.pass { try await Password.hash(password.text) }
            kept = (hash, password.setAt)
        }
        let password = kept
        try await vault { () throws(PostgresError) in
            try await gate.credentials.change(
                account, role: role, isClosed: isClosed, asOf: position, password: password)
        }
    }

    /// Keeps a key that was issued, and returns the text by which a program is known: the same every time.
    public func keep(_ fact: APIKeyIssued) async throws -> String {
        let secret = APIKeySecret.secret(of: fact.key, gate.secrets)
        try await vault { () throws(PostgresError) in
            try await gate.credentials.keep(fact, secretHash: APIKeySecret.hash(secret))
        }
        return APIKeySecret.text(of: fact.key, gate.secrets)
    }

    public func revoke(_ key: APIKeyID) async throws {
        try await vault { () throws(PostgresError) in try await gate.credentials.revoke(key) }
        gate.forget(key.entity)
    }

    private func vault<Value: Sendable>(
        _ body: () async throws(PostgresError) -> Value
    ) async throws(Problem) -> Value {
        do throws(PostgresError) {
            return try await body()
        } catch {
            throw .unavailable("the accounts can't be reached now")
        }
    }

    private func drawn<K>() -> ID<K> {
        var generator = SystemRandomNumberGenerator()
        return ID(.drawn(at: clock(), using: &generator))
    }
}

/// What a session is prolonged with: its id, and 256 random bits of which the vault has the SHA-256.
struct RefreshToken: Sendable {
    let session: SessionID
    private let secret: String

    init(session: SessionID) {
        self.session = session
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        secret = String(decoding: Hexadecimal.digits(of: bytes), as: UTF8.self)
    }

    /// nil for a text that is none.
    init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, let session = EntityID(String(parts[0])) else { return nil }
        self.session = ID(session)
        secret = String(parts[1])
    }

    var text: String { "\(session)_\(secret)" }
    var hash: [UInt8] { Array(SHA256.hash(data: Array(secret.utf8))) }
}
