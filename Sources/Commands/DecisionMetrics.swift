internal import Metrics

/// What the decision loop tells about itself.
struct DecisionMetrics: Sendable {
    let batchSize = Recorder(label: "quartermaster_decision_batch_size")
    let decisionTime = Timer(label: "quartermaster_decision_seconds")
    let commitTime = Timer(label: "quartermaster_commit_seconds")
    let conflicts = Counter(label: "quartermaster_conflicts_total")
    let appended = Counter(label: "quartermaster_events_appended_total")
    let repeats = Counter(label: "quartermaster_repeats_total")
    let modelLoads = Counter(label: "quartermaster_model_loads_total")
}
