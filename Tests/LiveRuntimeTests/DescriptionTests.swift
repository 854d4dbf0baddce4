import Foundation
import LocalClient
import Testing
import WireFormats

@testable import HTTPService
@testable import SlurmDialect

@Suite("The API describes itself")
struct DescriptionTests {
    private func document(_ centre: NetworkCentre, _ path: String) throws -> JSONValue {
        let answer = try centre.ask("GET \(path)", centre.bearer)
        #expect(answer.status == 200)
        return try JSONValue(parsing: answer.body)
    }

    @Test("Each route that is described answers, and with a status that is described")
    func statuses() throws {
        let centre = try NetworkCentre()
        let partition = try #require(
            try centre.daemon.client.get("/v1/partitions", as: PartitionList.self).partitions.first
        )
        for path in ["/v1/openapi.json", "/openapi/v3"] {
            let paths = try #require(try document(centre, path)["paths"]?.members)
            for (place, methods) in paths.map({ ($0.name, $0.value.members ?? []) }) {
                for (method, operation) in methods.map({ ($0.name, $0.value) }) {
                    // The stream has no end, and without a centre nothing more can be asked.
                    guard place != "/v1/events", place != "/v1/shutdown" else { continue }
                    let address =
                        place.replacingOccurrences(of: "{id}", with: "4000000")
                        .replacingOccurrences(of: "{partition_name}", with: partition.name)
                        .replacing(#/\{[a-z_]+\}/#, with: "4000000")
                    let answer = try centre.ask(
                        "\(method.uppercased()) \(address)",
                        centre.bearer,
                        body: method == "post" ? "{}" : ""
                    )
                    let known = operation["responses"]?.members?.map(\.name) ?? []
                    #expect(
                        known.contains("\(answer.status)"),
                        "\(method) \(place): \(answer.status)"
                    )
                    #expect(!answer.body.contains("no_route"), "\(method) \(place)")
                    #expect(!answer.body.contains("\"error_number\":9006"), "\(method) \(place)")
                }
            }
        }
    }

    @Test("Each operation has a name of its own, and says what stands in its path")
    func operations() throws {
        for document in [OpenAPIDocument.service(version: "1"), OpenAPIDocument.slurm] {
            var names: Set<String> = []
            for path in document["paths"]?.members ?? [] {
                for method in path.value.members ?? [] {
                    let name = method.value["operationId"]?.string ?? ""
                    #expect(names.insert(name).inserted, "\(name)")
                    let described = (method.value["parameters"]?.array ?? [])
                        .filter { $0["in"] == "path" }.compactMap { $0["name"]?.string }
                    let named = path.name.matches(of: #/\{([a-z_]+)\}/#).map { String($0.1) }
                    #expect(described == named, "\(path.name)")
                    #expect(method.value["responses"]?["401"] != nil)
                }
            }
            #expect(names.count > 40)
        }
    }

    @Test("It is of the program's version, and tells of keys and of bodies that are lines")
    func headers() throws {
        let centre = try NetworkCentre()
        let service = try document(centre, "/v1/openapi.json")
        let status = try centre.daemon.client.get("/v1/status", as: CentreStatus.self)
        #expect(service["info"]?["version"]?.string == status.version)
        func takesKey(_ document: JSONValue, _ path: String) -> Bool {
            let parameters = document["paths"]?[path]?["post"]?["parameters"]?.array ?? []
            return parameters.contains { $0["name"] == "Idempotency-Key" && $0["in"] == "header" }
        }
        #expect(takesKey(service, "/v1/jobs"))
        #expect(!takesKey(service, "/v1/cancel"))
        let slurm = try document(centre, "/openapi/v3")
        #expect(slurm["info"]?["version"]?.string?.hasSuffix("v0.0.44") == true)
        for version in DataVersion.allCases {
            #expect(takesKey(slurm, "/slurm/\(version.rawValue)/job/submit"))
            #expect(takesKey(slurm, "/slurm/\(version.rawValue)/job/allocate"))
        }
        let batch = service["paths"]?["/v1/jobs/batch"]?["post"]?["requestBody"]
        let lines = batch?["content"]?["application/x-ndjson"]?["schema"]
        #expect(lines?["properties"]?["script"] != nil)
    }

    @Test("A request's schema names its members, their forms, and no others")
    func schemas() {
        let submission = SubmitRequest.schema
        #expect(submission["properties"]?.members?.map(\.name) == SubmitRequest.memberNames)
        #expect(submission["additionalProperties"] == false)
        #expect(submission["required"] == ["script"])
        #expect(submission["properties"]?["tasks"]?["nullable"] == true)
        #expect(submission["properties"]?["array"]?["properties"]?["ranges"]?["type"] == "array")
        #expect(JobList.schema["properties"]?["jobs"]?["items"]?["type"] == "object")
        #expect(JobList.schema["additionalProperties"] == nil)
        for version in DataVersion.allCases {
            let job = SlurmBody.submission.schema(version)["properties"]?["job"]?["properties"]
            #expect((job?["exclusive"] != nil) == (version == .v41))
            #expect(job?["time_limit"]?["type"] == "object")
        }
    }
}
