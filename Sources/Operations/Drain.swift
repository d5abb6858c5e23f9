internal import ServiceLifecycle
internal import Synchronization

/// The time between the word that a process is to end and its doors being shut: it answers still, and says that it
/// is not ready, so that a proxy that asks every second has sent everybody elsewhere by then.
///
/// As a service it stands last, for the last is taken down first.
final class Drain: Service {
    private let span: Duration
    private let draining = Atomic(false)

    init(seconds: Int) {
        span = .seconds(seconds)
    }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func run() async throws {
        try? await gracefulShutdown()
        draining.store(true, ordering: .relaxed)
        try? await Task.sleep(for: span)
    }
}
