import Quantities
import WireFormats

/// What there is to say of other people's jobs.
enum LoadNotice {
    /// Says on standard error how many of them are left out.
    static func tell(_ status: CentreStatus) {
        guard let count = status.loadDropped, count > 0 else { return }
        StandardOutput.tell(
            "xinghe: warning: \(counted(Int(count), "job")) of the load fit no partition of"
                + " '\(status.machine)', and are left out"
        )
    }
}
