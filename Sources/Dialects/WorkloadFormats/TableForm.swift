/// Which column of a table says what about a job: `submit=submit_time,run=duration,processors=gpu_num`.
///
/// A value is a column, or a product or quotient of columns and numbers (`cpu_num/node_num`,
/// `memory*1024`). `$3` is the third column of a table whose first line is a job already.
public struct TableForm: Hashable, Sendable {
    /// What a column can say.
    public enum Role: String, Hashable, Sendable, CaseIterable {
        /// The job's number; rows are numbered where it is missing or no number.
        case id
        /// When it was submitted, started and ended: seconds, or a civil time like
        /// `2020-04-01 00:01:26`, perhaps with an offset.
        case submit, start, end
        /// How long it ran, and its limit: seconds, or `[D-]HH:MM:SS`.
        case run, limit
        /// The processors that it asked for; without it the cards of all parts, else their cores.
        case processors
        /// Its parts, each of which lies on one node; 1 without it.
        case parts
        /// Of each part: cores, memory (MiB) and cards.
        case cores, memory, cards
        /// Names.
        case user, account, qos, partition
        /// How it ended; a job that was `CANCELLED` without having run never started.
        case state
    }

    /// Why a text is no form of a table.
    public struct Unreadable: Error, Hashable, Sendable {
        /// What is wrong, for people.
        public var problem: String
    }

    /// One column or number of a value.
    enum Factor: Hashable, Sendable {
        case column(String)
        case position(Int)
        /// Unit: 1/1,000,000.
        case number(Int64)
    }

    /// A value: the first factor times and over the others.
    struct Value: Hashable, Sendable {
        var first: Factor
        var others: [(isDivisor: Bool, factor: Factor)]

        static func == (left: Self, right: Self) -> Bool {
            left.first == right.first
                && left.others.elementsEqual(right.others) { $0 == $1 }
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(first)
            for (isDivisor, factor) in others {
                hasher.combine(isDivisor)
                hasher.combine(factor)
            }
        }

        var factors: [Factor] { [first] + others.map(\.factor) }
    }

    /// What stands where.
    private(set) var values: [Role: Value] = [:]

    /// Reads `role=value,…`.
    ///
    /// - Throws: `Unreadable` for an unknown role, one that is there twice, and when neither `run` nor
    ///   both of `start` and `end` tell how long a job ran.
    public init(parsing text: String) throws(Unreadable) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = part.firstIndex(of: "="), equals > part.startIndex else {
                throw Unreadable(problem: "'\(part)' is not like submit=submit_time")
            }
            let name = String(part[..<equals])
            guard let role = Role(rawValue: name) else {
                let all = Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw Unreadable(problem: "'\(name)' is not known; there are \(all)")
            }
            guard values[role] == nil else {
                throw Unreadable(problem: "'\(name)' is there twice")
            }
            values[role] = try Self.value(part[part.index(after: equals)...])
        }
        guard values[.submit] != nil else {
            throw Unreadable(
                problem: "it does not say which column is the time of submission (submit=)"
            )
        }
        guard values[.run] != nil || values[.start] != nil && values[.end] != nil else {
            throw Unreadable(
                problem: "it does not say how long jobs ran (run=, or start= and end=)"
            )
        }
        guard [.processors, .cores, .cards].contains(where: { values[$0] != nil }) else {
            throw Unreadable(
                problem: "it does not say how large jobs are (processors=, cores= or cards=)"
            )
        }
    }

    private static func value(_ text: Substring) throws(Unreadable) -> Value {
        var parts: [(isDivisor: Bool, text: Substring)] = []
        var start = text.startIndex
        var isDivisor = false
        for index in text.indices where text[index] == "*" || text[index] == "/" {
            parts.append((isDivisor, text[start..<index]))
            isDivisor = text[index] == "/"
            start = text.index(after: index)
        }
        parts.append((isDivisor, text[start...]))
        var factors: [(isDivisor: Bool, factor: Factor)] = []
        for part in parts {
            factors.append((part.isDivisor, try factor(part.text)))
        }
        return Value(first: factors[0].factor, others: Array(factors.dropFirst()))
    }

    private static func factor(_ text: Substring) throws(Unreadable) -> Factor {
        guard let first = text.utf8.first else {
            throw Unreadable(problem: "a value has an empty part")
        }
        if first == UInt8(ascii: "$") {
            guard let position = Int(text.dropFirst()), (1...10_000).contains(position) else {
                throw Unreadable(problem: "'\(text)' is no position of a column like $3")
            }
            return .position(position - 1)
        }
        guard (48...57).contains(first) || first == UInt8(ascii: ".") else {
            return .column(String(text))
        }
        guard let number = Array(text.utf8).withUnsafeBytes({ FieldBytes.scientific($0) }),
            number > 0
        else { throw Unreadable(problem: "'\(text)' is neither a column nor a number above zero") }
        return .number(number)
    }

    /// Whether the first line is a job: columns are known by position only.
    var isHeaderless: Bool {
        let factors = values.values.flatMap(\.factors)
        return factors.contains { if case .position = $0 { true } else { false } }
            && !factors.contains { if case .column = $0 { true } else { false } }
    }
}

// MARK: - Published logs

extension TableForm {
    /// The form of a published log that is a plain table; nil for the other forms.
    ///
    /// Sources: Helios: Hu et al., SC 2021, https://github.com/S-Lab-System-Group/HeliosData. Acme: Hu
    /// et al., NSDI 2024, https://github.com/InternLM/AcmeTrace. PAI: Weng et al., NSDI 2022,
    /// cluster-trace-gpu-v2020 of https://github.com/alibaba/clusterdata (`pai_task_table.csv`, which
    /// tells no submissions: a task is submitted when it starts). Alibaba 2025: Yang et al., NSDI 2025,
    /// cluster-trace-gpu-v2025 there. Muri: Zhao et al., SIGCOMM 2022,
    /// https://github.com/Rivendile/Muri.
    static func published(_ format: LogFormat) -> TableForm? {
        let text: String? =
            switch format {
            case .helios:
                "id=job_id,submit=submit_time,start=start_time,run=duration,user=user,partition=vc,"
                    + "state=state,processors=gpu_num,parts=node_num,cores=cpu_num/node_num,"
                    + "cards=gpu_num/node_num"
            case .acme:
                "id=job_id,submit=submit_time,start=start_time,run=duration,user=user,qos=type,"
                    + "state=state,processors=gpu_num,parts=node_num,cores=cpu_num/node_num,"
                    + "cards=gpu_num/node_num"
            case .muri:
                "id=job_id,submit=submit_time,run=duration,processors=num_gpu,parts=num_gpu,cores=1,"
                    + "cards=1"
            case .pai:
                "submit=$5,start=$5,end=$6,state=$4,qos=$2,processors=$3*$9/100,parts=$3,"
                    + "cores=$7/100,memory=$8*1024,cards=$9/100"
            case .alibaba2025:
                "submit=creation_time,start=scheduled_time,end=deletion_time,account=app_name,"
                    + "qos=role,processors=cpu_request,cores=cpu_request,memory=memory_request*1024,"
                    + "cards=gpu_request"
            case .swf, .philly, .alibaba, .sacct, .table: nil
            }
        guard let text else { return nil }
        do throws(Unreadable) {
            return try TableForm(parsing: text)
        } catch {
            preconditionFailure("the form of \(format.rawValue) is ours: \(error.problem)")
        }
    }
}
