import CJemalloc

/// Lets memory that is free go back to the system after a while, by a thread that does nothing else: what one large
/// answer has taken does not stay with the process. What is used again within that time is not given away: after two
/// seconds it cost one booking in twenty on a hot sailing.
///
/// Source: jemalloc(3), `background_thread`, `arenas.narenas`, `arenas.dirty_decay_ms` and `arena.<i>.dirty_decay_ms`,
/// which, unlike others, is of one arena at a time: for all of them at once jemalloc looks behind its list.
func returnFreeMemory() {
    var isOn = true
    mallctl("background_thread", nil, nil, &isOn, MemoryLayout<Bool>.size)
    var milliseconds = 10_000
    var (count, size) = (UInt32(0), MemoryLayout<UInt32>.size)
    mallctl("arenas.narenas", &count, &size, nil, 0)
    let those = (0..<count).map { "arena.\($0).dirty_decay_ms" }
    for name in ["arenas.dirty_decay_ms"] + those {
        mallctl(name, nil, nil, &milliseconds, MemoryLayout<Int>.size)
    }
}
