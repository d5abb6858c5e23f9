public import ArgumentParser
public import Operations

struct Ready: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a role on this machine whether it is ready.",
        discussion: """
            For health checks of containers, which have no other program to ask with. Asks at the \
            port that the role has by the environment, or, of whatever role runs, at \
            OPERATIONS_PORT; ends with 1 when it is not ready, or doesn't answer within three seconds.
            """)

    @Argument(help: "command-api, query-api, projector or backup-keeper; without it, any.")
    var role: Role?

    func run() async throws {
        try await perform { settings, _ in
            guard try await isReady(role, settings) else { throw ExitCode.failure }
        }
    }
}

extension Role: ExpressibleByArgument {}
