/// What each metric says, in the words in which Prometheus shows it. The README lists the same names.
public enum MetricHelp {
    public static let texts = [
        "quartermaster_backup_failures_total": "Backups and verifications that failed.",
        "quartermaster_backup_timestamp_seconds":
            "When the newest backup was made, in seconds since 1970; 0: there is none.",
        "quartermaster_backup_verified_timestamp_seconds":
            "When a backup was last restored and found sound, in seconds since 1970; 0: never.",
        "quartermaster_commit_seconds": "Time to append a batch of commands to the log.",
        "quartermaster_conflicts_total":
            "Decisions made again because another process was faster.",
        "quartermaster_decision_batch_size": "Commands appended together.",
        "quartermaster_decision_queue_depth": "Requests that wait for the decision loop.",
        "quartermaster_decision_seconds": "Time to decide a batch of commands in memory.",
        "quartermaster_events_appended_total": "Events that this process has appended.",
        "quartermaster_http_request_seconds": "Time to answer, by operation and status.",
        "quartermaster_log_position": "The position of the last event of the log.",
        "quartermaster_model_loads_total": "Decision models read from the log.",
        "quartermaster_postgres_connections": "Open connections of a pool.",
        "quartermaster_postgres_waiting": "Calls of a pool that wait for their answer.",
        "quartermaster_projection_lag_events": "Events that a read model has not seen.",
        "quartermaster_projection_lag_seconds":
            "Age of the first event that a read model has not seen.",
        "quartermaster_projection_position": "The position that a read model has reached.",
        "quartermaster_projection_stopped":
            "1 while a read model stands before an event that it can't take.",
        "quartermaster_published_position":
            "The last event that is in the stream EVENTS; 0 until that is known.",
        "quartermaster_publishing_stopped":
            "1 where EVENTS has another history than the log, and nothing is published.",
        "quartermaster_refusals_total": "Requests that were refused, by what they were told.",
        "quartermaster_repeats_total": "Requests that had taken effect before.",
    ]
}
