import Glibc

/// Names of users and groups, from the system's databases.
enum UserNames {
    /// The name of a user; the number when there is none.
    static func user(_ id: UInt32) -> String {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(id, &entry, &buffer, buffer.count, &result) == 0, result != nil else {
            return String(id)
        }
        return String(cString: entry.pw_name)
    }

    /// The number of the user of a name; nil when there is none.
    static func number(of name: String) -> UInt32? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &result) == 0, result != nil else {
            return nil
        }
        return entry.pw_uid
    }

    /// The name of a group; the number when there is none.
    static func group(_ id: UInt32) -> String {
        var entry = Glibc.group()
        var result: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getgrgid_r(id, &entry, &buffer, buffer.count, &result) == 0, result != nil else {
            return String(id)
        }
        return String(cString: entry.gr_name)
    }
}

/// Who sends a request, by the credentials of the socket.
public struct Caller: Hashable, Sendable {
    /// The user's number.
    public var userID: UInt32
    /// The number of the user's group.
    public var groupID: UInt32

    /// Names a caller.
    public init(userID: UInt32, groupID: UInt32) {
        self.userID = userID
        self.groupID = groupID
    }
}
