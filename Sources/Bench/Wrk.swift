internal import Foundation
internal import LocalServers

/// A run of `wrk`, the load generator, and what it saw.
struct Wrk {
    /// Bodies of orders; each request takes the next.
    var bodies: [String]
    var url: String
    var connections: Int
    var seconds: Int
    /// When each request is to be sent, in milliseconds since the start; without it, each
    /// connection sends its next when the last is answered.
    var arrivals: [Int]?

    /// What wrk prints at its end; times in microseconds.
    struct Outcome: Codable, Sendable {
        var requests: Int
        var microseconds: Double
        var p50: Double
        var p99: Double
        var max: Double
        var placed: Int
        var soldOut: Int
        /// Answers that were neither 201 nor 409, and connections that failed.
        var others: Int
        /// Of these, the connections.
        var unanswered: Int

        var perSecond: Double { Double(requests) / microseconds * 1e6 }
    }

    func run(in folder: String) async throws -> Outcome {
        let file = "\(folder)/wrk.lua"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        let output = try await runToEnd(
            "wrk",
            ["-t1", "-c\(connections)", "-d\(seconds)s", "--timeout", "10s", "-s", file, url],
            in: folder)
        guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix("{") }) else {
            throw BenchError("wrk failed: \(output)")
        }
        return try JSONDecoder().decode(Outcome.self, from: Data(line.utf8))
    }

    /// Each request has an idempotency key of its own. The answers' statuses are counted by the
    /// callback only where the load is paced, because it makes wrk dear.
    private var script: String {
        let host = url.split(separator: "/").dropFirst().first ?? ""
        let orders = bodies.map { body in
            let head =
                "POST /v1/bookings HTTP/1.1\\r\\nHost: \(host)\\r\\n"
                + "Content-Type: application/json\\r\\nContent-Length: \(body.utf8.count)\\r\\n"
                + "Idempotency-Key: "
            return "  {\"\(head)\", \"\\r\\n\\r\\n\" .. [[\(body)]]},"
        }
        return """
            math.randomseed(\(UInt32.random(in: 0 ... .max)))
            local random, format = math.random, string.format
            local orders = {
            \(orders.joined(separator: "\n"))
            }
            local next = 0
            function request()
              local order = orders[next % #orders + 1]
              next = next + 1
              return order[1] .. format("%08x-%04x-4%03x-8%03x-%06x%06x", random(0, 4294967295),
                random(0, 65535), random(0, 4095), random(0, 4095), random(0, 16777215),
                random(0, 16777215)) .. order[2]
            end
            local threads = {}
            function setup(thread) threads[#threads + 1] = thread end
            \(arrivals.map(pacing) ?? "")
            function done(summary, latency)
              local errors = summary.errors
              local placed, soldOut, others = summary.requests - errors.status, 0, errors.status
              if threads[1]:get("isPaced") then
                placed, soldOut = threads[1]:get("placed"), threads[1]:get("soldOut")
                others = threads[1]:get("others")
              end
              local unanswered = errors.connect + errors.read + errors.write + errors.timeout
              io.write(format('\\n{"requests":%d,"microseconds":%f,"p50":%f,"p99":%f,"max":%f,'
                .. '"placed":%d,"soldOut":%d,"others":%d,"unanswered":%d}\\n', summary.requests,
                summary.duration, latency:percentile(50), latency:percentile(99), latency.max, placed,
                soldOut, others + unanswered, unanswered))
            end
            """
    }

    private func pacing(_ arrivals: [Int]) -> String {
        """
        isPaced, placed, soldOut, others = true, 0, 0, 0
        local ffi = require("ffi")
        ffi.cdef[[ typedef struct { long s; long ns; } qm_time;
          int clock_gettime(int clock, qm_time *time); ]]
        local time = ffi.new("qm_time")
        local function now()
          ffi.C.clock_gettime(1, time)
          return tonumber(time.s) * 1000 + tonumber(time.ns) / 1000000
        end
        local arrivals = {\(arrivals.map(String.init).joined(separator: ","))}
        local arrived, start = 0, nil
        function delay()
          start = start or now()
          arrived = arrived + 1
          if arrived > #arrivals then return 600000 end
          return math.max(0, math.floor(start + arrivals[arrived] - now() + 0.5))
        end
        function response(status)
          if status == 201 then placed = placed + 1
          elseif status == 409 then soldOut = soldOut + 1
          else others = others + 1 end
        end
        """
    }
}

/// What keeps the bench from measuring; the sentence says what to do.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A program of Debian's, wherever it lies on the path.
func program(_ name: String) throws -> String {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    for folder in path.split(separator: ":") {
        let file = "\(folder)/\(name)"
        if FileManager.default.isExecutableFile(atPath: file) { return file }
    }
    throw BenchError("\(name) is not installed: 'make bench' installs what the bench needs")
}

/// Runs a program of Debian's to its end, and returns what it printed.
func runToEnd(_ name: String, _ arguments: [String], in folder: String) async throws -> String {
    let log = "\(folder)/\(name)-\(UInt32.random(in: 0 ... .max)).out"
    let child = try ChildProcess([try program(name)] + arguments, log: log)
    while child.isRunning { try await Task.sleep(for: .milliseconds(20)) }
    let output = try String(contentsOfFile: log, encoding: .utf8)
    guard child.hasSucceeded else { throw BenchError("\(name) failed: \(output)") }
    return output
}
