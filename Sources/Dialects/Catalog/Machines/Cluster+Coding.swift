import ClusterModel
import WireFormats

extension Cluster: CodedPart {
    static var blank: Self { Self(name: "", title: "", partitions: [], defaultPartitionIndex: 0) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("cluster", &name)
        try fields("title", &title)
        try fields("partitions", &partitions)
        try fields("default_partition", &defaultPartitionIndex)
    }
}
