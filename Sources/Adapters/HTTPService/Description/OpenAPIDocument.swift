import HTTPTypes
import SlurmDialect
import WireFormats

/// Descriptions of the API in the form of OpenAPI 3.0, made of the routes that are served.
enum OpenAPIDocument {
    /// The service's own API: `/v1/openapi.json`.
    ///
    /// - Parameter version: the program's.
    static func service(version: String) -> JSONValue {
        document(
            "Xinghe",
            "An emulated supercomputing centre: jobs, nodes, people and money.",
            version: version,
            operations: serviceOperations
        )
    }

    private static let serviceOperations: [Operation] =
        ServiceRoute.all.map { route in
            let path = route.path.split(separator: "/").map {
                $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0)
            }
            return Operation(
                path: "/" + path.joined(separator: "/"),
                method: route.method,
                json: operation(route)
            )
        }

    /// Slurm's REST: `/openapi/v3`.
    static let slurm: JSONValue = document(
        "Slurm REST API",
        "The REST of Slurm, as an emulated centre serves it.",
        version: DataVersion.allCases.map(\.rawValue).joined(separator: ", "),
        operations: DataVersion.allCases.flatMap { version in
            SlurmRoute.all.filter { $0.isIn(version) }.map { route in
                Operation(
                    path: route.describedPath(version),
                    method: route.method,
                    json: operation(route, version)
                )
            }
        }
    )

    private struct Operation {
        var path: String
        var method: HTTPRequest.Method
        var json: JSONValue
    }

    private static func document(
        _ title: String,
        _ description: String,
        version: String,
        operations: [Operation]
    ) -> JSONValue {
        var order: [String] = []
        var paths: [String: [JSONValue.Member]] = [:]
        for operation in operations {
            if paths[operation.path] == nil { order.append(operation.path) }
            let name = operation.method.rawValue.lowercased()
            paths[operation.path, default: []].append(.init(name, operation.json))
        }
        return [
            "openapi": "3.0.3",
            "info": [
                "title": .string(title), "description": .string(description),
                "version": .string(version),
                "license": [
                    "name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0",
                ],
            ],
            "servers": [["url": "/"]],
            "security": [["token": []], ["bearer": []]],
            "paths": .object(order.map { .init($0, .object(paths[$0] ?? [])) }),
            "components": [
                "securitySchemes": [
                    "token": [
                        "type": "apiKey", "in": "header", "name": "X-SLURM-USER-TOKEN",
                    ],
                    "bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"],
                ]
            ],
        ]
    }

    private static func parameter(
        _ name: String,
        in place: String,
        isRequired: Bool,
        _ schema: JSONValue
    ) -> JSONValue {
        [
            "name": .string(name), "in": .string(place), "required": .bool(isRequired),
            "schema": schema,
        ]
    }

    /// The names in braces, or after colons, of a path.
    private static func pathParameters(_ path: String) -> [JSONValue] {
        path.split(separator: "/").compactMap { part in
            if part.hasPrefix("{") {
                let name = String(part.dropFirst().dropLast())
                return parameter(
                    name,
                    in: "path",
                    isRequired: true,
                    ["type": "string", "minLength": 1]
                )
            }
            guard part.hasPrefix(":") else { return nil }
            let number: JSONValue = ["type": "integer", "minimum": 0, "maximum": 4_294_967_295]
            return parameter(String(part.dropFirst()), in: "path", isRequired: true, number)
        }
    }

    private static func response(
        _ description: String,
        _ schema: JSONValue,
        type: String = "application/json"
    ) -> JSONValue {
        [
            "description": .string(description),
            "content": .object([.init(type, ["schema": schema])]),
        ]
    }

    private static func identifier(_ method: HTTPRequest.Method, _ path: String) -> String {
        let words = path.split { !$0.isLetter && !$0.isNumber }
        return ([Substring(method.rawValue.lowercased())] + words).joined(separator: "_")
    }

    private static func operation(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ summary: String,
        parameters: [JSONValue],
        responses: [JSONValue.Member],
        body: (type: String, schema: JSONValue)?,
        also others: [JSONValue.Member]
    ) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("summary", .string(summary)),
            .init("operationId", .string(identifier(method, path))),
            .init("parameters", .array(parameters)), .init("responses", .object(responses)),
        ]
        if let body {
            let content = JSONValue.object([.init(body.type, ["schema": body.schema])])
            members.append(.init("requestBody", ["required": true, "content": content]))
        }
        return .object(members + others)
    }

    /// By what a submission is known when it comes again.
    private static let submissionKey = parameter(
        "Idempotency-Key",
        in: "header",
        isRequired: false,
        ["type": "string", "pattern": "^[!-~]{1,255}$"]
    )

    // MARK: Ours

    /// What any request can be refused with: malformed, without a token, not to be had, too large, out of
    /// service.
    private static let commonRefusals: [(status: Int, text: String)] = [
        (400, "The request cannot be read, or cannot be fulfilled"), (401, "No good token"),
        (413, "The request is too large"), (503, "The centre cannot do it now"),
    ]

    private static let refusalTexts: [Int: String] = [
        403: "Not for the caller", 404: "There is no such thing", 409: "Not in this state",
        422: "The Idempotency-Key came before with another submission",
    ]

    private static func operation(_ route: ServiceRoute) -> JSONValue {
        let good: JSONValue =
            switch route.answer {
            case .record(let type): response("Done", type.schema)
            case .text(let type): response("Done", [:], type: type)
            }
        var refusals = commonRefusals
        refusals += route.refusals.map { ($0, refusalTexts[$0] ?? "Refused") }
        let body: (type: String, schema: JSONValue)? = route.body.map { body in
            switch body {
            case .one(let type): ("application/json", type.schema)
            case .lines(let type): ("application/x-ndjson", type.schema)
            }
        }
        return operation(
            route.method,
            route.path,
            route.summary,
            parameters: pathParameters(route.path)
                + route.parameters.map { wanted in
                    parameter(
                        wanted.name,
                        in: "query",
                        isRequired: wanted.isRequired,
                        wanted.schema
                    )
                } + (route.takesKey ? [submissionKey] : []),
            responses: [.init("200", good)]
                + refusals.sorted { $0.status < $1.status }.map { status, text in
                    .init("\(status)", response(text, ErrorBody.schema))
                },
            body: body,
            also: route.isForAll ? [.init("security", [])] : []
        )
    }

    // MARK: Slurm's

    private static let slurmStatuses: [(status: String, text: String)] = [
        ("400", "The request cannot be read"), ("401", "No good token"),
        ("404", "There is no such job or address"), ("413", "The request is too large"),
        ("422", "The request lacks something, or asks for what there is not"),
        ("500", "The centre refuses"), ("503", "The centre cannot do it now"),
    ]

    private static func envelope(_ answer: [String]) -> JSONValue {
        let notes: JSONValue = ["type": "array", "items": ["type": "object"]]
        let fixed: [JSONValue.Member] = [
            .init("meta", ["type": "object"]), .init("errors", notes), .init("warnings", notes),
        ]
        return [
            "type": "object",
            "properties": .object(answer.map { .init($0, [:]) } + fixed),
            "required": .array((answer + ["meta", "errors", "warnings"]).map { .string($0) }),
        ]
    }

    private static func operation(_ route: SlurmRoute, _ version: DataVersion) -> JSONValue {
        operation(
            route.method,
            route.describedPath(version),
            route.summary,
            parameters: pathParameters(route.path)
                + route.parameters.map {
                    parameter($0.name, in: "query", isRequired: false, ["type": "string"])
                } + (route.body?.takesKey ?? false ? [submissionKey] : []),
            responses: [.init("200", response("Done", envelope(route.answer)))]
                + slurmStatuses.map { .init($0.status, response($0.text, envelope([]))) },
            body: route.body.map { ("application/json", $0.schema(version)) },
            also: [.init("tags", [.string(route.part.rawValue)])]
        )
    }
}
