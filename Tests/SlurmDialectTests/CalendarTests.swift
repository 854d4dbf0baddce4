import Quantities
import Testing

@testable import SlurmDialect

@Suite("Times as the reader's zone and format have them")
struct CalendarTests {
    /// 2026-11-21T01:29:27 in Shanghai, a Saturday.
    private let instant = CivilTime(year: 2026, month: 11, day: 21, hour: 1, minute: 29, second: 27)
        .instant(offsetSeconds: CivilTime.shanghaiOffsetSeconds)

    @Test(
        "SLURM_TIME_FORMAT is strftime's",
        arguments: [
            ("%Y-%m-%dT%H:%M:%S", "2026-11-21T01:29:27"), ("%F %T", "2026-11-21 01:29:27"),
            ("%a %b %e %R", "Sat Nov 21 01:29"), ("%A, %d %B %y", "Saturday, 21 November 26"),
            ("%I:%M %p", "01:29 AM"), ("%j %u %w %D", "325 6 6 11/21/26"), ("%z", "+0800"),
            ("100%% %q %", "100% %q %"), ("%s", "1795195767"),
        ]
    )
    func format(_ format: String, _ text: String) {
        let calendar = CentreCalendar(offsetSeconds: 28_800, format: format)
        #expect(calendar.text(instant) == text)
    }

    @Test("A session's zone holds for what is written and read in it, and for nothing else")
    func session() {
        #expect(CentreCalendar().text(instant) == "2026-11-21T01:29:27")
        CentreCalendar.$session.withValue(CentreCalendar(offsetSeconds: 0)) {
            #expect(CentreCalendar().text(instant) == "2026-11-20T17:29:27")
            let read = CentreCalendar().instant("2026-11-20T17:29:27", now: instant)
            #expect(read == instant)
        }
        #expect(CentreCalendar().text(instant) == "2026-11-21T01:29:27")
    }
}
