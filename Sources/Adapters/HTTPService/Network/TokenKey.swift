import Foundation
internal import JWTKit

/// Why there is no key to sign tokens with, or a token is not taken.
public enum TokenFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operating system refuses.
    case system(call: String, path: String, code: Int32)
    /// Others than its owner may read the key.
    case openToOthers(path: String)
    /// The key is shorter than what HS256 needs.
    case tooShort(path: String)
    /// The token is not one of this centre, or its time is over.
    case refused(reason: String)
    /// The computer does not know the user whom the token names.
    case unknownUser(name: String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .system(let call, let path, let code):
            "the token key \(path) cannot be used: \(call): \(String(cString: strerror(code)))"
        case .openToOthers(let path):
            "the token key \(path) can be read by others than its owner; chmod 600 it"
        case .tooShort(let path):
            "the token key \(path) has fewer than 32 bytes"
        case .refused(let reason): reason
        case .unknownUser(let name): "this computer has no user '\(name)'"
        }
    }
}

/// The key of a centre's tokens: JSON Web Tokens (RFC 7519), signed by HMAC with SHA-256, with the
/// claims of Slurm's `auth/jwt`: `sun` is the user's name, `exp` and `iat` are in seconds of the wall.
public struct TokenKey: Sendable {
    /// How long a token is good, and at most. Unit: s. The first is Slurm's.
    public static let usualLifespan = 1_800
    static let longestLifespan = 366 * 86_400
    private let keys: JWTKeyCollection

    private struct Claims: JWTPayload {
        var sun: SubjectClaim
        var iat: IssuedAtClaim
        var exp: ExpirationClaim

        func verify(using _: some JWTAlgorithm) throws {
            try exp.verifyNotExpired()
        }
    }

    /// Reads the key in a file; makes one of 32 random bytes where there is none.
    ///
    /// - Throws: `TokenFailure`.
    public init(file path: String) async throws(TokenFailure) {
        let key = HMACKey(from: try Self.bytes(path))
        keys = await JWTKeyCollection().add(hmac: key, digestAlgorithm: .sha256)
    }

    private static func bytes(_ path: String) throws(TokenFailure) -> [UInt8] {
        let made = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if made >= 0 {
            defer { close(made) }
            var generator = SystemRandomNumberGenerator()
            let fresh = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            guard write(made, fresh, fresh.count) == fresh.count, fsync(made) == 0 else {
                let code = errno
                unlink(path)
                throw .system(call: "write", path: path, code: code)
            }
            return fresh
        }
        guard errno == EEXIST else { throw .system(call: "open", path: path, code: errno) }
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
            let mode = (facts[.posixPermissions] as? NSNumber)?.intValue
        else { throw .system(call: "stat", path: path, code: errno) }
        guard mode & 0o077 == 0 else { throw .openToOthers(path: path) }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .system(call: "read", path: path, code: errno)
        }
        guard data.count >= 32 else { throw .tooShort(path: path) }
        return Array(data)
    }

    /// A token for a user.
    ///
    /// - Parameter seconds: how long it is good.
    func token(for user: String, seconds: Int) async throws -> String {
        let now = Date()
        let claims = Claims(
            sun: SubjectClaim(value: user),
            iat: IssuedAtClaim(value: now),
            exp: ExpirationClaim(value: now.addingTimeInterval(Double(seconds)))
        )
        return try await keys.sign(claims)
    }

    /// Whose token this is.
    ///
    /// - Throws: `TokenFailure`.
    func peer(of token: String) async throws(TokenFailure) -> Peer {
        let user: String
        do {
            user = try await keys.verify(token, as: Claims.self).sun.value
        } catch let error as JWTError where error.errorType == .claimVerificationFailure {
            throw .refused(reason: "the token's time is over")
        } catch {
            throw .refused(reason: "this is no token of this centre")
        }
        guard let peer = Peer(userName: user) else { throw .unknownUser(name: user) }
        return peer
    }
}

extension Peer {
    /// A user of this computer; nil when there is none of that name.
    init?(userName: String) {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(userName, &entry, &buffer, buffer.count, &result) == 0, result != nil
        else { return nil }
        self.init(processID: 0, userID: entry.pw_uid, groupID: entry.pw_gid)
    }

    /// The user's name; nil when the computer does not know one.
    var userName: String? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(userID, &entry, &buffer, buffer.count, &result) == 0, result != nil
        else { return nil }
        return String(cString: entry.pw_name)
    }
}
