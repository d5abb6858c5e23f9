internal import Domain
internal import Foundation

/// Where the program runs. Outside development it takes no secret that everybody knows.
public enum Deployment: String, Sendable, CaseIterable {
    case development
    case staging
    case production
}

extension Settings {
    /// What nobody else may know. Each may also be given as the name of a file, in a variable with `_FILE` behind
    /// its name.
    public static let secrets = [
        "DATABASE_URL", "NATS_URL", "STAFF_TOKEN", "SIGNING_SECRET", "SENTRY_DSN",
        "SCRATCH_DATABASE_URL",
    ]
    /// What the values of examples have in them, and no secret has.
    public static let exampleMark = "change-me"

    /// The variables, with the secrets that stand in files.
    static func withSecrets(
        ofFilesIn variables: [String: String]
    ) throws(OperationError) -> [String: String] {
        var variables = variables
        for name in secrets {
            let fileName = name + "_FILE"
            guard let path = variables[fileName], !path.isEmpty else { continue }
            guard variables[name]?.isEmpty ?? true else {
                throw OperationError("\(name) and \(fileName) are both set: set one of them")
            }
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw OperationError("\(fileName) names \(path), which can't be read")
            }
            let secret = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !secret.isEmpty else {
                throw OperationError("\(fileName) names \(path), which is empty")
            }
            variables[name] = secret
        }
        return variables
    }

    /// Those of other services that `compose/` shows to the first that starts, so that it says what is wrong with them.
    /// They stand in addresses and settings files, which take some characters for their own.
    private static let passwords = ["POSTGRES", "SERVICE", "REPORTING", "NATS", "GRAFANA"].map {
        "\($0)_PASSWORD"
    }
    private static let dashboardUsers = "DASHBOARD_USERS"
    /// Variables of other services that are looked at.
    public static let shownVariables = passwords + [dashboardUsers]

    /// Refuses, outside development, passwords that would not arrive as they are.
    func refuseMalformed(in variables: [String: String]) throws(OperationError) {
        guard environment != .development else { return }
        for name in Self.passwords {
            guard let value = variables[name] else { continue }
            guard value.wholeMatch(of: /[A-Za-z][A-Za-z0-9._~-]{15,}/) != nil else {
                throw OperationError(
                    "\(name) must be 16 characters or more, letters, digits, '.', '_', '~' and '-', a letter "
                        + "first: it stands in addresses and settings")
            }
        }
        let name = Self.dashboardUsers
        guard let users = variables[name] else { return }
        guard users.wholeMatch(of: /[^:,]+:(\{SHA\}|\$)[^:]+(,[^:,]+:(\{SHA\}|\$)[^:]+)*/) != nil
        else {
            throw OperationError(
                "\(name) must be NAME:HASH, as 'htpasswd -nB NAME' prints it; several with commas between"
            )
        }
    }

    /// Refuses, outside development, what everybody can read in an example: also in variables that are not ours, such
    /// as passwords of which an address of ours is made, and those first.
    func refuseExamples(in variables: [String: String]) throws(OperationError) {
        guard environment != .development else { return }
        let examples = variables.filter { $0.value.contains(Self.exampleMark) }.keys
        let name = examples.min { left, right in
            (Self.secrets.contains(left) ? 1 : 0, left) < (
                Self.secrets.contains(right) ? 1 : 0, right
            )
        }
        if let name {
            throw OperationError(
                "\(name) is still the example's, which everybody can read: set one of your own "
                    + "('openssl rand -hex 32' draws one)")
        }
        guard environment != .production || paymentProvider != .sandbox else {
            throw OperationError(
                "PAYMENT_PROVIDER is 'sandbox', which lets everybody \"pay\": not with ENVIRONMENT=production"
            )
        }
    }

    /// Refuses, outside development, to run a role without what it needs to know: it would not look for it in a
    /// folder of `up`.
    func requireSecrets() throws(OperationError) {
        guard environment != .development else { return }
        let known = [
            "DATABASE_URL": databaseURL, "NATS_URL": natsURL, "STAFF_TOKEN": staffToken,
            "SIGNING_SECRET": signingSecret,
        ]
        for name in Self.secrets {
            guard let value = known[name], value == nil else { continue }
            throw OperationError(
                "\(name) is not set, and with ENVIRONMENT=\(environment.rawValue) it must be; "
                    + "\(name)_FILE may name a file that holds it")
        }
    }
}
