public import IndexSets
public import Quantities

/// The number of a reservation. Numbers are given once and never again.
public struct ReservationID: Hashable, Comparable, Sendable, CustomStringConvertible, Codable {
    /// The number itself, from 1.
    public var number: UInt32

    /// Makes the identity of reservation `number`.
    public init(_ number: UInt32) {
        self.number = number
    }

    /// Whether `left` was numbered before `right`.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    /// The number in decimal.
    public var description: String { String(number) }
}

/// How a reservation differs from the usual. Names are those of `scontrol create reservation`.
public struct ReservationFlags: OptionSet, Hashable, Sendable, Codable {
    /// A bit a flag.
    public var rawValue: UInt16

    /// Makes flags of bits.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// For maintenance: may overlap others, and its nodes are shown so.
    public static let maint = Self(rawValue: 1 << 0)
    /// What runs on the nodes when it is made does not count.
    public static let ignoreJobs = Self(rawValue: 1 << 1)
    /// May overlap others.
    public static let overlap = Self(rawValue: 1 << 2)
    /// Its jobs may also run before, behind and beside it.
    public static let flex = Self(rawValue: 1 << 3)
    /// Comes back every day.
    public static let daily = Self(rawValue: 1 << 4)
    /// Comes back every week.
    public static let weekly = Self(rawValue: 1 << 5)
    /// Reserves no nodes: its jobs use any, while it lasts.
    public static let anyNodes = Self(rawValue: 1 << 6)

    /// How long after its start it starts again; nil when it does not. Unit: µs.
    public var period: Int64? {
        contains(.daily) ? 86_400_000_000 : contains(.weekly) ? 7 * 86_400_000_000 : nil
    }
}

/// Nodes, or time on any, that are kept for some jobs.
///
/// Source: Slurm, "Advanced Resource Reservation Guide" and scontrol(1), 22.05.
public struct Reservation: Hashable, Sendable, Codable {
    /// What is reserved. Nodes are held whole.
    public enum Extent: Hashable, Sendable, Codable {
        /// These nodes of the machine.
        case nodes(IDSet)
        /// So many nodes of a partition, by its position.
        case nodeCount(Int32, partition: Int)
        /// The fewest nodes of a partition that have so many cores together.
        case coreCount(Int64, partition: Int)
    }

    /// Who may use it among the users or the accounts, by their numbers.
    public enum Guests: Hashable, Sendable, Codable {
        /// Everybody.
        case all
        /// These.
        case only(Set<Int32>)
        /// All but these.
        case allBut(Set<Int32>)

        /// Whether one of them may use it.
        public func admits(_ number: Int32) -> Bool {
            switch self {
            case .all: true
            case .only(let set): set.contains(number)
            case .allBut(let set): !set.contains(number)
            }
        }
    }

    /// Its number.
    public var id: ReservationID
    /// When it begins, for the first time.
    public var start: SimInstant
    /// When that time is over.
    public var end: SimInstant
    /// What is reserved.
    public var extent: Extent
    /// Which users may use it.
    public var users: Guests
    /// Which accounts may use it; a job needs both.
    public var accounts: Guests
    /// How it differs from the usual.
    public var flags: ReservationFlags
    /// How long it may be idle before it goes away; nil when that does not matter (`PURGE_COMP`).
    public var idleMaximum: SimDuration?

    /// Makes a reservation.
    public init(
        id: ReservationID,
        start: SimInstant,
        end: SimInstant,
        extent: Extent,
        users: Guests = .all,
        accounts: Guests = .all,
        flags: ReservationFlags = [],
        idleMaximum: SimDuration? = nil
    ) {
        self.id = id
        self.start = start
        self.end = end
        self.extent = extent
        self.users = users
        self.accounts = accounts
        self.flags = flags
        self.idleMaximum = idleMaximum
    }
}
