internal import Access
internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Postgres
internal import Web

extension QueryAPI {
    var staffOperations: [Operation] {
        [
            Operation("listStaff", .get, "/v1/staff", for: .owner) { request, _ in
                try request.allowQuery(only: "min-position")
                let position = try await reached(request)
                let accounts = Credentials.accounts(try await vault(Credentials.accounts))
                return answer(position: position) { json in
                    json.field("accounts", accounts) { json, account in
                        json.object { json in
                            json.field("account", account.account)
                            json.field("login", account.login)
                            json.field("role", account.role.rawValue)
                            json.field("isClosed", account.isClosed)
                        }
                    }
                }
            },
            Operation("listAPIKeys", .get, "/v1/api-keys", for: .owner) { request, _ in
                try request.allowQuery(only: "min-position")
                let position = try await reached(request)
                let keys = Credentials.keys(try await vault(Credentials.keys))
                return answer(position: position) { json in
                    json.field("keys", keys) { json, key in
                        json.object { json in
                            json.field("key", key.key)
                            json.field("label", key.label)
                            json.field("scopes", key.scopes) { $0.value($1.rawValue) }
                            json.field("commissionBasisPoints", key.commission)
                            json.field("isRevoked", key.isRevoked)
                        }
                    }
                }
            },
        ]
    }

    private func vault(_ call: PostgresCall) async throws(Problem) -> Rows {
        do throws(PostgresError) {
            return try await client.run([call])[0]
        } catch {
            throw .unavailable("the accounts can't be reached now")
        }
    }
}
