internal import HTTPTypes
internal import Synchronization
internal import Web

/// Lets so many through at a time, has some wait, and turns the others away.
final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    private let waitingLimit: Int

    init(places: Int, waiting limit: Int) {
        state = Mutex(State(free: places))
        waitingLimit = limit
    }

    func pass<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async throws {
        let isFree = state.withLock { state -> Bool? in
            if state.free > 0 {
                state.free -= 1
                return true
            }
            return state.waiting.count < waitingLimit ? false : nil
        }
        switch isFree {
        case true?: return
        case nil: throw Problem.unavailable("too many people are logging in: try again")
        case false?: break
        }
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
