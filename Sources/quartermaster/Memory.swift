import CJemalloc

/// Lets memory that is free go back to the system after a while, by a thread that does nothing else: what one large
/// answer has taken does not stay with the process. What is used again within that time is not given away: after two
/// seconds it cost one booking in twenty on a hot sailing.
///
/// Source: jemalloc(3), `background_thread` and `arena.<i>.dirty_decay_ms`.
func returnFreeMemory() {
    var isOn = true
    mallctl("background_thread", nil, nil, &isOn, MemoryLayout<Bool>.size)
    var milliseconds = 10_000
    for name in ["arenas.dirty_decay_ms", "arena.\(MALLCTL_ARENAS_ALL).dirty_decay_ms"] {
        mallctl(name, nil, nil, &milliseconds, MemoryLayout<Int>.size)
    }
}
