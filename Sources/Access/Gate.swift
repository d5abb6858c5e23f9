public import Domain
internal import EventCodec
internal import HTTPTypes
public import Hummingbird
internal import Postgres
internal import Synchronization
public import Web

/// Finds out who asks: the operator's own token, a member of staff with a session, or a program with a key.
public final class Gate: Sendable {
    /// A session that was ended, or a key that was revoked, opens nothing any more after this long.
    public static let memory = TimeSpan.seconds(2)
    /// Credentials that are kept in mind; all are forgotten when there are more.
    static let memoryLimit = 10_000

    let credentials: Credentials
    let tokens: AccessTokens
    let secrets: SigningKeys
    private let operatorToken: StaffToken
    private let clock: @Sendable () -> Instant
    /// What was found out about a session or a key, and when.
    private let known = Mutex<[EntityID: (roles: Set<Role>, hash: [UInt8], at: Instant)]>([:])

    public init(
        _ credentials: Credentials, operatorToken: StaffToken, secrets: SigningKeys,
        clock: @escaping @Sendable () -> Instant
    ) {
        self.credentials = credentials
        self.operatorToken = operatorToken
        self.secrets = secrets
        self.clock = clock
        tokens = AccessTokens(secrets)
    }

    @Sendable public func caller(of request: Request) async throws(Problem) -> Caller {
        guard let header = request.headers[.authorization] else { return .anybody }
        let prefix = "Bearer "
        guard header.hasPrefix(prefix) else { throw .unauthorized }
        let token = String(header.dropFirst(prefix.count))
        if operatorToken.isRight(token) { return Caller(roles: [.owner], actor: "staff") }
        if let (key, secret) = APIKeySecret.parts(of: token) {
            return try await caller(key, secret)
        }
        guard let claims = await tokens.claims(of: token, at: clock()) else {
            throw .unauthorized
        }
        let (roles, _) = try await remembered(claims.session.entity) { () throws(PostgresError) in
            let role = try await self.credentials.role(of: claims.session)
            return (role.map { [$0] } ?? [], [])
        }
        guard !roles.isEmpty else { throw .unauthorized }
        return Caller(roles: roles, actor: "account:\(claims.account)")
    }

    private func caller(_ key: APIKeyID, _ secret: String) async throws(Problem) -> Caller {
        let (roles, hash) = try await remembered(key.entity) { () throws(PostgresError) in
            let known = try await self.credentials.key(key)
            return (Set(known?.scopes ?? []), known?.hash ?? [])
        }
        guard !roles.isEmpty, APIKeySecret.isRight(secret, for: hash) else { throw .unauthorized }
        return Caller(
            roles: roles, actor: "key:\(key)", reseller: roles.contains(.reseller) ? key : nil)
    }

    private func remembered(
        _ entity: EntityID,
        _ find: () async throws(PostgresError) -> (roles: Set<Role>, hash: [UInt8])
    ) async throws(Problem) -> (roles: Set<Role>, hash: [UInt8]) {
        let now = clock()
        if let known = known.withLock({ $0[entity] }), now < known.at + Self.memory {
            return (known.roles, known.hash)
        }
        let found: (roles: Set<Role>, hash: [UInt8])
        do throws(PostgresError) {
            found = try await find()
        } catch {
            throw .unavailable("nobody can be let in now: the database can't be reached")
        }
        known.withLock { known in
            if known.count >= Self.memoryLimit { known.removeAll() }
            known[entity] = (found.roles, found.hash, now)
        }
        return found
    }

    func forget(_ entity: EntityID) {
        known.withLock { $0[entity] = nil }
    }
}
