import HTTPTypes
import WireFormats

/// A route of the service's own API: what is served, and what the description of the API says of it.
struct ServiceRoute: Sendable {
    /// What is answered when all is well.
    enum Answer: Sendable {
        case record(any WireRecord.Type)
        case text(String)
    }

    /// What is sent.
    enum Body: Sendable {
        case one(any WireRequest.Type)
        /// One on each line.
        case lines(any WireRequest.Type)
    }

    /// A parameter of the URL.
    struct Parameter: Hashable, Sendable {
        var name: String
        var isRequired = false
        var schema: JSONValue = ["type": "string"]
    }

    let method: HTTPRequest.Method
    /// As the router has it: `/v1/jobs/:id`.
    let path: String
    let summary: String
    let parameters: [Parameter]
    let body: Body?
    let answer: Answer
    /// The statuses of refusals, beside those that every route has.
    let refusals: [Int]

    private init(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ summary: String,
        parameters: [Parameter] = [],
        body: Body? = nil,
        answer: Answer,
        refusals: [Int] = []
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.answer = answer
        self.refusals = refusals
    }

    private static func words(_ names: [String]) -> [Parameter] {
        names.map { Parameter(name: $0) }
    }

    /// Served to whoever shows a token, or comes by the socket; and what is for all.
    static let all: [ServiceRoute] = reading + watching + jobs + operating

    private static let reading: [ServiceRoute] = [
        ServiceRoute(.get, "/v1/status", "How the centre is", answer: .record(CentreStatus.self)),
        ServiceRoute(
            .get,
            "/v1/nodes",
            "The nodes, those that are alike in groups",
            parameters: words(["name", "cluster"]),
            answer: .record(NodeList.self),
            refusals: [403]
        ),
        ServiceRoute(
            .get,
            "/v1/partitions",
            "The partitions",
            parameters: words(["cluster"]),
            answer: .record(PartitionList.self)
        ),
        ServiceRoute(
            .get,
            "/v1/reservations",
            "The reservations",
            answer: .record(ReservationList.self),
            refusals: [403]
        ),
        ServiceRoute(
            .get,
            "/v1/people",
            "Accounts, users and qualities of service",
            answer: .record(PeopleList.self)
        ),
        ServiceRoute(
            .get,
            "/v1/priorities",
            "What the priorities of jobs that wait are made of",
            answer: .record(PriorityList.self)
        ),
        ServiceRoute(
            .get,
            "/v1/jobs",
            "The queue",
            parameters: words(JobQuery.names),
            answer: .record(JobList.self)
        ),
        ServiceRoute(
            .get,
            "/v1/jobs/:id",
            "One job, or the elements of an array",
            answer: .record(JobList.self),
            refusals: [404]
        ),
        ServiceRoute(
            .get,
            "/v1/jobs/:id/environment",
            "What a running job is told of itself",
            answer: .record(JobEnvironment.self),
            refusals: [403, 404, 409]
        ),
        ServiceRoute(
            .get,
            "/v1/jobs/:id/program",
            "How long a program of the machine's software, or a kernel, would take in a running job",
            parameters: words(ProgramQuery.names),
            answer: .record(ProgramTime.self),
            refusals: [403, 404, 409]
        ),
        ServiceRoute(
            .get,
            "/v1/jobs/:id/explanation",
            "Why a job waits, and what would start it sooner",
            answer: .record(JobExplanation.self),
            refusals: [404]
        ),
        ServiceRoute(
            .get,
            "/v1/jobs/:id/script",
            "The script of a job, byte for byte",
            answer: .text("text/plain"),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .get,
            "/v1/accounting",
            "The records of the accounts",
            parameters: words(AccountingQuery.names),
            answer: .record(AccountingList.self),
            refusals: [403]
        ),
        ServiceRoute(
            .get,
            "/v1/bill",
            "What an account or an enterprise owes",
            parameters: words(["account", "enterprise", "period", "by", "jobs"]),
            answer: .record(BillStatement.self),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .get,
            "/v1/ledger",
            "The ledger, a row for each posting",
            parameters: words(["account", "month"]),
            answer: .text("text/csv"),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .get,
            "/v1/claims",
            "What an enterprise would hand in for a subsidy",
            parameters: [Parameter(name: "enterprise", isRequired: true), Parameter(name: "year")],
            answer: .text("text/csv"),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .get,
            "/v1/accounts",
            "The accounts that the caller may use, and their money",
            answer: .record(AccountStandingList.self)
        ),
    ]

    private static let watching: [ServiceRoute] = [
        ServiceRoute(
            .get,
            "/v1/census",
            "How many jobs and nodes there are of each kind",
            answer: .record(CentreCensus.self)
        ),
        ServiceRoute(
            .get,
            "/v1/map",
            "What each node does",
            parameters: [
                Parameter(name: "names", schema: ["type": "string", "enum": ["0", "1"]])
            ],
            answer: .record(CentreMap.self),
            refusals: [403]
        ),
        ServiceRoute(.get, "/metrics", "Prometheus's text", answer: .text("text/plain")),
        ServiceRoute(
            .get,
            "/v1/events",
            "Server-sent events: jobs, nodes, time",
            parameters: [Parameter(name: "after", schema: ["type": "integer", "minimum": 0])],
            answer: .text("text/event-stream")
        ),
        ServiceRoute(
            .get,
            "/v1/openapi.json",
            "This description",
            answer: .text("application/json")
        ),
        ServiceRoute(
            .get,
            "/openapi/v3",
            "The description of Slurm's REST",
            answer: .text("application/json")
        ),
        ServiceRoute(.get, "/healthz", "A sign of life", answer: .text("text/plain")),
        ServiceRoute(
            .get,
            "/readyz",
            "A sign of life of the centre itself",
            answer: .text("text/plain")
        ),
        ServiceRoute(
            .post,
            "/v1/token",
            "A token for the network",
            body: .one(TokenRequest.self),
            answer: .record(TokenResponse.self),
            refusals: [403, 409]
        ),
    ]

    private static let jobs: [ServiceRoute] =
        [
            ServiceRoute(
                .post,
                "/v1/jobs",
                "Submits a job",
                body: .one(SubmitRequest.self),
                answer: .record(SubmitResponse.self),
                refusals: [403, 404, 409, 422]
            ),
            ServiceRoute(
                .post,
                "/v1/jobs/batch",
                "Submits many jobs, one a line (NDJSON); an answer a line, in their order",
                body: .lines(SubmitRequest.self),
                answer: .text("application/x-ndjson"),
                refusals: [403]
            ),
            ServiceRoute(
                .post,
                "/v1/jobs/:id/steps",
                "A step of a job begins or ends",
                body: .one(StepRequest.self),
                answer: .record(StepResponse.self),
                refusals: [403, 404, 409]
            ),
            ServiceRoute(
                .post,
                "/v1/jobs/:id/complete",
                "Gives an allocation back",
                body: .one(CompleteRequest.self),
                answer: .record(ActionResponse.self),
                refusals: [403, 404, 409]
            ),
            ServiceRoute(
                .post,
                "/v1/cancel",
                "Cancels or signals jobs",
                body: .one(CancelRequest.self),
                answer: .record(ActionResponse.self),
                refusals: [403, 404]
            ),
            ServiceRoute(
                .post,
                "/v1/jobs/:id/update",
                "Changes a job",
                body: .one(JobUpdateRequest.self),
                answer: .record(ActionResponse.self),
                refusals: [403, 404, 409]
            ),
            ServiceRoute(
                .post,
                "/v1/jobs/:id/cancel",
                "Cancels a job",
                answer: .record(ActionResponse.self),
                refusals: [403, 404]
            ),
        ]
        + JobVerb.allCases.map { verb in
            ServiceRoute(
                .post,
                "/v1/jobs/:id/\(verb.rawValue)",
                "The action '\(verb.rawValue)' on a job",
                body: .one(JobActionRequest.self),
                answer: .record(ActionResponse.self),
                refusals: [403, 404, 409]
            )
        }

    private static let operating: [ServiceRoute] = [
        ServiceRoute(
            .post,
            "/v1/nodes/update",
            "Changes nodes",
            body: .one(NodeUpdateRequest.self),
            answer: .record(ActionResponse.self),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .post,
            "/v1/partitions/update",
            "Changes a partition",
            body: .one(PartitionUpdateRequest.self),
            answer: .record(ActionResponse.self),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .post,
            "/v1/people",
            "Makes, changes or removes accounts and users",
            body: .one(PeopleEdit.self),
            answer: .record(PeopleEditResponse.self),
            refusals: [403]
        ),
        ServiceRoute(
            .post,
            "/v1/reservations",
            "Makes a reservation",
            body: .one(ReservationRequest.self),
            answer: .record(ReservationName.self),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .post,
            "/v1/reservations/update",
            "Changes a reservation",
            body: .one(ReservationRequest.self),
            answer: .record(ReservationName.self),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .post,
            "/v1/reservations/delete",
            "Ends a reservation",
            body: .one(ReservationName.self),
            answer: .record(ReservationName.self),
            refusals: [403, 404]
        ),
        ServiceRoute(
            .post,
            "/v1/money",
            "Does something to the books",
            body: .one(MoneyRequest.self),
            answer: .record(MoneyResponse.self),
            refusals: [403, 404, 409]
        ),
        ServiceRoute(
            .post,
            "/v1/clock/advance",
            "Moves a stepped clock",
            body: .one(ClockAdvanceRequest.self),
            answer: .record(CentreStatus.self),
            refusals: [403, 409]
        ),
        ServiceRoute(
            .post,
            "/v1/archive",
            "Packs the past of the centre",
            answer: .record(ArchiveOutcome.self),
            refusals: [403, 409]
        ),
        ServiceRoute(
            .post,
            "/v1/shutdown",
            "Closes the centre",
            answer: .record(ActionResponse.self),
            refusals: [403]
        ),
    ]

    /// Whether a route is described.
    static func isDescribed(_ method: HTTPRequest.Method, _ path: String) -> Bool {
        all.contains { $0.method == method && $0.path == path }
    }

    /// Whether an `Idempotency-Key` is read.
    var takesKey: Bool { method == .post && path == "/v1/jobs" }

    /// Whether everybody may ask, without a token.
    var isForAll: Bool { path == "/healthz" || path == "/readyz" }
}
