internal import Glibc

/// Where tests keep their servers' data: in memory where that has much room, for nothing of it outlives the run, and
/// making and dropping hundreds of databases is work for a disk; else in `/tmp`. All accounts reach both.
public let serversFolder: String = {
    let (memory, wanted) = ("/dev/shm", UInt(8) << 30)
    var status = statvfs()
    guard statvfs(memory, &status) == 0, status.f_bavail * status.f_frsize >= wanted,
        // Some tests run scripts that they write: not where ST_NOEXEC is set.
        status.f_flag & 8 == 0,
        access(memory, W_OK) == 0
    else { return "/tmp" }
    return memory
}()
