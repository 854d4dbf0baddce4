/// What the load of a centre is made of: how many jobs on how many nodes, of which kinds, when, and of
/// how many users. `MixModel` makes a log of it.
public struct LoadMix: Hashable, Sendable {
    /// A kind of jobs.
    public struct JobClass: Hashable, Sendable {
        /// A number of nodes, and how often it is asked for beside the others of its class.
        public struct Size: Hashable, Sendable {
            /// The nodes.
            public var nodes: Int
            /// The weight.
            public var weight: Int

            /// Makes a size.
            public init(nodes: Int, weight: Int) {
                self.nodes = nodes
                self.weight = weight
            }
        }

        /// What it is called.
        public var name: String
        /// How many jobs it has beside the other classes.
        public var share: Int
        /// The numbers of nodes.
        public var sizes: [Size]
        /// The median of the log-normal run time. Unit: s.
        public var median: Int
        /// The standard deviation of the logarithm of the run time. Unit: 1/1,000.
        public var sigma: Int

        /// Makes a class.
        public init(name: String, share: Int, sizes: [Size], median: Int, sigma: Int) {
            self.name = name
            self.share = share
            self.sizes = sizes
            self.median = median
            self.sigma = sigma
        }
    }

    /// A time of the day at which more is submitted: a bell curve.
    public struct Peak: Hashable, Sendable {
        /// The middle. Unit: min after midnight.
        public var minute: Int
        /// The standard deviation. Unit: min.
        public var width: Int
        /// The height beside the other peaks. Unit: 1/1,000.
        public var height: Int

        /// Makes a peak.
        public init(minute: Int, width: Int, height: Int) {
            self.minute = minute
            self.width = width
            self.height = height
        }
    }

    /// What it is called.
    public var name: String
    /// The nodes, given whole, that the numbers of jobs and nodes are for.
    public var nodeCount: Int
    /// Jobs a day on so many nodes.
    public var jobsPerDay: Int
    /// The users; who submits how much follows Zipf's law.
    public var userCount: Int
    /// The longest run time, and the longest limit. Unit: s, whole minutes.
    public var longest: Int
    /// The jobs of a day of the weekend. Unit: tenths of those of another day.
    public var weekend: Int
    /// The peaks of the day.
    public var peaks: [Peak]
    /// The classes.
    public var classes: [JobClass]

    /// What a reader of mixes takes: up to these numbers every sum of the model fits.
    public enum Bounds {
        /// The nodes of a mix, and of a job.
        public static let nodes: ClosedRange<Int64> = 1...1_000_000
        /// Jobs a day.
        public static let jobsPerDay: ClosedRange<Int64> = 1...10_000_000
        /// The users.
        public static let users: ClosedRange<Int64> = 1...100_000
        /// The longest limit. Unit: s.
        public static let longest: ClosedRange<Int64> = 3_600...2_592_000
        /// The standard deviation of a peak. Unit: min.
        public static let width: ClosedRange<Int64> = 10...720
        /// The most peaks.
        public static let peaks = 24
        /// The most classes, and sizes of a class.
        public static let classes = 64
        /// The share of a class, or the weight of a size.
        public static let weight: ClosedRange<Int64> = 1...1_000_000
        /// Of the logarithm of the run time. Unit: 1/1,000.
        public static let sigma: ClosedRange<Int32> = 0...3_000
    }

    /// Makes a mix.
    public init(
        name: String,
        nodeCount: Int,
        jobsPerDay: Int,
        userCount: Int,
        longest: Int,
        weekend: Int,
        peaks: [Peak],
        classes: [JobClass]
    ) {
        self.name = name
        self.nodeCount = nodeCount
        self.jobsPerDay = jobsPerDay
        self.userCount = userCount
        self.longest = longest
        self.weekend = weekend
        self.peaks = peaks
        self.classes = classes
    }

    /// Jobs a day on another number of nodes.
    public func jobsPerDay(on nodes: Int) -> Int { jobsPerDay * nodes / nodeCount }
}
