internal import Commands
internal import HTTPTypes
internal import Hummingbird
internal import Metrics
internal import NIOCore
internal import Postgres
internal import ProjectionEngine
internal import Synchronization
internal import Telemetry
internal import Web

/// What Prometheus asks for: everything this process has counted, and how far the read models are. A port of
/// its own, so that it need not be shown to the world.
struct OperationsServer: Sendable {
    let client: PostgresClient
    let measured: Measured
    let drain: Drain

    var router: Router<APIContext> {
        let router = Router<APIContext>()
        router.on("/livez", method: .get) { _, _ in "alive\n" }
        router.on("/readyz", method: .get) { _, _ in
            let isReady =
                if drain.isDraining { false } else {
                    (try? await ProjectionStatus.lags(client)) != nil
                }
            return Response(
                status: isReady ? .ok : .serviceUnavailable,
                body: .init(byteBuffer: ByteBuffer(string: isReady ? "ready\n" : "not ready\n")))
        }
        router.on("/metrics", method: .get) { _, _ in
            await collect()
            var headers = HTTPFields()
            headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
            let text = MetricRegistry.shared.text(help: MetricHelp.texts)
            return Response(
                status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
        }
        return router
    }

    /// What nobody tells by himself. While PostgreSQL is away the last figures stand.
    private func collect() async {
        for (name, pool) in measured.pools {
            let (open, waiting) = await pool.usage()
            let dimensions = [("pool", name)]
            Gauge(label: "quartermaster_postgres_connections", dimensions: dimensions).record(open)
            Gauge(label: "quartermaster_postgres_waiting", dimensions: dimensions).record(waiting)
        }
        if let depth = measured.loop?.queueDepth {
            Gauge(label: "quartermaster_decision_queue_depth").record(depth)
        }
        guard let lags = try? await ProjectionStatus.lags(client) else { return }
        Gauge(label: "quartermaster_log_position").record(lags.head)
        for lag in lags.projections {
            let dimensions = [("projection", lag.name)]
            Gauge(label: "quartermaster_projection_position", dimensions: dimensions)
                .record(lag.position)
            Gauge(label: "quartermaster_projection_lag_events", dimensions: dimensions)
                .record(lags.head - lag.position)
            Gauge(label: "quartermaster_projection_lag_seconds", dimensions: dimensions)
                .record(lag.seconds)
            Gauge(label: "quartermaster_projection_stopped", dimensions: dimensions)
                .record(lag.isStopped ? 1 : 0)
        }
    }
}

/// What is looked at when somebody asks for metrics: this process's pools of connections, by what they are for, and the
/// loop that decides, where it has one.
final class Measured: Sendable {
    private let decisions = Mutex<DecisionLoop?>(nil)
    private let clients = Mutex<[(name: String, client: PostgresClient)]>([])

    var loop: DecisionLoop? { decisions.withLock { $0 } }
    var pools: [(name: String, client: PostgresClient)] { clients.withLock { $0 } }

    /// Counts a pool in, and returns it.
    func adding(_ client: PostgresClient, as name: String) -> PostgresClient {
        clients.withLock { $0.append((name, client)) }
        return client
    }

    func add(_ loop: DecisionLoop) {
        decisions.withLock { $0 = loop }
    }
}
