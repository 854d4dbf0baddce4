import HTTPTypes
import SlurmDialect
import WireFormats

/// A question to Slurm's REST, read.
struct SlurmQuestion: Sendable {
    /// The version in the path.
    var version: DataVersion
    /// What answers in that version.
    var data: SlurmData
    /// Who asks.
    var peer: Peer
    /// What stands in the path where a route has a name in braces.
    var path: String = ""
    /// The parameters of the URL.
    var parameters: [String: String] = [:]
    /// The body; null where there is none.
    var body: JSONValue = .null
    /// By what a submission is known when it comes again.
    var key: String?

    /// What stands for a parameter, with commas between words; nil when it is not there.
    func words(_ name: String) -> [String]? {
        parameters[name].map { $0.split(separator: ",").map(String.init) }
    }

    /// What a value must be to be chosen by a parameter; read once, however many values are asked about.
    func choice(_ name: String) -> WordChoice { WordChoice(words: words(name).map(Set.init)) }

    /// The jobs that a parameter names; nil when it is not there.
    ///
    /// - Throws: `RestFailure` for what is no number of a job, and for too many of them.
    func jobs(_ name: String) throws(RestFailure) -> JobSelection? {
        guard let text = parameters[name] else { return nil }
        do throws(JobSelection.Problem) {
            return try JobSelection(list: text)
        } catch {
            guard error == .notJob else { throw .query(error.text, name) }
            throw RestFailure(SlurmError.invalidJobID.body(), source: name)
        }
    }

    /// The job, or the step, that the path names.
    ///
    /// - Throws: `RestFailure` for what is no number of one.
    func jobOrStep() throws(RestFailure) -> JobSelector {
        guard let job = OptionValues.jobOrStep(path) else {
            throw RestFailure(SlurmError.invalidJobID.body(), source: "job_id")
        }
        return job
    }

    /// The job that the path names.
    ///
    /// - Throws: `RestFailure` for what is no number of a job.
    func job() throws(RestFailure) -> JobSelector {
        guard let job = OptionValues.job(path) else {
            throw RestFailure(SlurmError.invalidJobID.body(), source: "job_id")
        }
        return job
    }
}

/// Words of which a value must be one; any value will do where there are none.
struct WordChoice: Sendable {
    let words: Set<String>?

    func allows(_ value: String?) -> Bool { words?.contains(value ?? "") ?? true }

    /// Whether one of several values will do.
    func allows(anyOf values: [String]) -> Bool {
        words.map { values.isEmpty || !$0.isDisjoint(with: values) } ?? true
    }
}

/// A route of Slurm's REST, in all versions that have it. What a client may ask, what is done and what the
/// description of the API says come from the same entry.
struct SlurmRoute: Sendable {
    /// `slurm` is the controller, `slurmdb` the accounts.
    enum Part: String, Hashable, Sendable, CaseIterable {
        case slurm, slurmdb
    }

    /// What a question may cost: where its answer is made.
    enum Cost: Hashable, Sendable {
        /// Nothing that others would wait for.
        case little
        /// A few jobs by number.
        case lookup
        /// A listing, the same for whoever puts the same question before it is begun.
        case listing
    }

    /// A parameter of the URL.
    struct Parameter: Hashable, Sendable {
        /// What becomes of it here; Slurm's clients may send others too.
        enum Effect: Hashable, Sendable {
            /// It is read.
            case read
            /// It is passed over, also by a change, which reaches no more and no less without it.
            case harmless
            /// A question passes over it; a change would reach more, or less, than was meant.
            case passed
        }

        var name: String
        var effect: Effect

        /// One that is read.
        static func read(_ name: String) -> Parameter { Parameter(name: name, effect: .read) }

        /// Those that Slurm knows, and that change nothing here.
        static func passed(_ names: String...) -> [Parameter] {
            names.map { Parameter(name: $0, effect: .passed) }
        }

        /// Those that Slurm knows, and that in Slurm too change nothing but what is told.
        static func harmless(_ names: String...) -> [Parameter] {
            names.map { Parameter(name: $0, effect: .harmless) }
        }
    }

    typealias Handler =
        @Sendable (any CentreService, SlurmQuestion) async throws -> JSONValue

    let part: Part
    let method: HTTPRequest.Method
    /// After the version, with names in braces: `job/{job_id}`.
    let path: String
    let summary: String
    /// The members of the answer beside `meta`, `errors` and `warnings`.
    let answer: [String]
    let cost: Cost
    let parameters: [Parameter]
    /// The form of the body; nil where none is read.
    let body: SlurmBody?
    let isIn: @Sendable (DataVersion) -> Bool
    let handler: Handler

    init(
        _ part: Part = .slurm,
        _ method: HTTPRequest.Method = .get,
        _ path: String,
        _ summary: String,
        answer: [String] = [],
        cost: Cost = .little,
        parameters: [Parameter] = [],
        body: SlurmBody? = nil,
        isIn: @escaping @Sendable (DataVersion) -> Bool = { _ in true },
        handler: @escaping Handler
    ) {
        self.part = part
        self.method = method
        self.path = path
        self.summary = summary
        self.answer = answer
        self.cost = cost
        self.parameters = parameters
        self.body = body
        self.isIn = isIn
        self.handler = handler
    }

    /// Whether it only tells, and changes nothing.
    var isQuestion: Bool { method == .get }

    /// All routes.
    static let all: [SlurmRoute] =
        controllerRoutes + jobRoutes + nodeRoutes + reservationRoutes + accountRoutes

    /// The path of the router: `/slurm/v0.0.42/job/:name`.
    func routerPath(_ version: DataVersion) -> String {
        let words = path.split(separator: "/").map { $0.hasPrefix("{") ? ":name" : String($0) }
        return "/\(part.rawValue)/\(version.rawValue)/" + words.joined(separator: "/")
    }

    /// The path in a description: `/slurm/v0.0.42/job/{job_id}`.
    func describedPath(_ version: DataVersion) -> String {
        "/\(part.rawValue)/\(version.rawValue)/\(path)"
    }

    /// The version that an address names; nil where it names none that there is.
    static func version(in path: String) -> DataVersion? {
        let words = path.split(separator: "/")
        return words.count >= 2 ? DataVersion(rawValue: String(words[1])) : nil
    }

    /// Whether an address is one of Slurm's REST.
    static func isAddress(_ path: String) -> Bool {
        Part.allCases.contains { path == "/\($0.rawValue)" || path.hasPrefix("/\($0.rawValue)/") }
    }
}
