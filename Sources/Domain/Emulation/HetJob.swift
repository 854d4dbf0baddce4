import JobModel
import Quantities
import Scheduling

/// A heterogeneous job that has components which have not ended.
struct HetJob: Sendable, Codable {
    /// The number of its first component.
    let leader: JobID
    /// How many components it has.
    let count: Int32
    /// How many of them have arrived.
    var arrived: Int32
    /// The nodes that are kept free for its components.
    var places: [Kept] = []

    /// The nodes of a group that are kept free for a component.
    struct Kept: Sendable, Codable {
        let slot: Int32
        let job: JobID
        let group: Int
        var place: JointPlan.Place

        /// The reservation by which they are kept: numbers that nobody else is given.
        var id: ReservationID { ReservationID(.max - job.number) }

        /// Whether the same nodes are kept for the same component at the same time.
        func isLike(_ other: Kept) -> Bool {
            job == other.job && group == other.group && place.from == other.place.from
                && place.until == other.place.until && place.nodes == other.place.nodes
        }
    }

    /// The numbers of its components.
    var components: ClosedRange<UInt32> { leader.number...(leader.number + UInt32(count - 1)) }
}
