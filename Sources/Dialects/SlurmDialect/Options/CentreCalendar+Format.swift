import Quantities

// `SLURM_TIME_FORMAT`: times as `strftime` writes them.

extension CentreCalendar {
    static let dayNames = [
        "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday",
    ]
    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]

    /// An instant by a format of `strftime` in the C locale; what is none of its letters stays.
    func text(_ instant: SimInstant, format: String) -> String {
        let time = CivilTime(instant, offsetSeconds: offsetSeconds)
        let local = instant.seconds + offsetSeconds
        let day = (local - (local % 86_400 + 86_400) % 86_400) / 86_400
        var text = ""
        var letters = format.makeIterator()
        while let letter = letters.next() {
            guard letter == "%" else {
                text.append(letter)
                continue
            }
            guard let directive = letters.next() else { return text + "%" }
            let known = value(directive, time, day: day) ?? clock(directive, time, local)
            text += known ?? "%\(directive)"
        }
        return text
    }

    private func value(_ directive: Character, _ time: CivilTime, day: Int64) -> String? {
        let weekday = Int((day % 7 + 7) % 7)
        return switch directive {
        case "Y": "\(time.year)"
        case "y": Self.two(time.year % 100)
        case "C": Self.two(time.year / 100)
        case "m": Self.two(time.month)
        case "d": Self.two(time.day)
        case "e": time.day < 10 ? " \(time.day)" : "\(time.day)"
        case "b", "h": String(Self.monthNames[time.month - 1].prefix(3))
        case "B": Self.monthNames[time.month - 1]
        case "a": String(Self.dayNames[weekday].prefix(3))
        case "A": Self.dayNames[weekday]
        case "u": "\((weekday + 3) % 7 + 1)"
        case "w": "\((weekday + 4) % 7)"
        case "j": Self.three(dayOfYear(time, day))
        case "F": "\(time.year)-\(Self.two(time.month))-\(Self.two(time.day))"
        case "D": "\(Self.two(time.month))/\(Self.two(time.day))/\(Self.two(time.year % 100))"
        default: nil
        }
    }

    private func clock(_ directive: Character, _ time: CivilTime, _ local: Int64) -> String? {
        let (hour, minute) = (Self.two(time.hour), Self.two(time.minute))
        let twelve = Self.two((time.hour + 11) % 12 + 1)
        return switch directive {
        case "H": hour
        case "I": twelve
        case "M": minute
        case "S": Self.two(time.second)
        case "p": time.hour < 12 ? "AM" : "PM"
        case "T", "X": "\(hour):\(minute):\(Self.two(time.second))"
        case "R": "\(hour):\(minute)"
        case "s": "\(local - offsetSeconds)"
        case "z":
            (offsetSeconds < 0 ? "-" : "+") + Self.two(Int(abs(offsetSeconds) / 3_600))
                + Self.two(Int(abs(offsetSeconds) / 60 % 60))
        case "n": "\n"
        case "t": "\t"
        case "%": "%"
        default: nil
        }
    }

    private func dayOfYear(_ time: CivilTime, _ day: Int64) -> Int {
        let first = CivilTime(year: time.year, month: 1, day: 1).instant(offsetSeconds: 0)
        return Int(day - first.seconds / 86_400) + 1
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func three(_ number: Int) -> String {
        number < 100 ? "0" + two(number) : "\(number)"
    }
}
