import CJemalloc
import Glibc

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

/// Asks for as many open files as connections may be open, and some: what a process is given at first is 1024 in most
/// places. Not for all that it may have, which is a thousand million in some: whoever starts a program goes through them
/// one by one, to close them.
func allowManyConnections() {
    var limit = rlimit()
    let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(files, &limit) == 0 else { return }
    limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 32_768))
    setrlimit(files, &limit)
}
