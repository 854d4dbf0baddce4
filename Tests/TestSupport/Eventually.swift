import Foundation

/// Waits until `condition` holds, looking every 5 ms and later every 50 ms; false after `seconds`.
public func eventually(
    within seconds: Double = 60,
    _ condition: () throws -> Bool
) rethrows -> Bool {
    let begin = Date()
    while Date().timeIntervalSince(begin) < seconds {
        if try condition() { return true }
        usleep(Date().timeIntervalSince(begin) < 1 ? 5_000 : 50_000)
    }
    return try condition()
}
