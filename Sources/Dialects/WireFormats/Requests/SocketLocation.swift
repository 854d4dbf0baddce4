/// Where the daemon listens and its clients look, unless told otherwise.
public enum SocketLocation {
    /// `$XINGHE_SOCKET`, else `$XDG_RUNTIME_DIR/xinghe/xinghed.sock`, else
    /// `/tmp/xinghe-UID/xinghed.sock`. A variable that is set but empty counts as not set.
    public static func path(userID: UInt32, variable: (String) -> String?) -> String {
        if let path = variable("XINGHE_SOCKET"), !path.isEmpty { return path }
        if let folder = variable("XDG_RUNTIME_DIR"), !folder.isEmpty {
            return folder + "/xinghe/xinghed.sock"
        }
        return "/tmp/xinghe-\(userID)/xinghed.sock"
    }
}
