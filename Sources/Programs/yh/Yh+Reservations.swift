import LocalClient
import SlurmDialect
import WireFormats

// `yhcontrol create|update|delete reservation`.

extension Yh {
    private static func request(
        _ changes: [ControlCommand.Change],
        _ name: String
    ) throws(CommandFailure) -> ReservationRequest {
        let status = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/status", as: CentreStatus.self)
        }
        return try ReservationRequest(changes, now: status.now)
    }

    static func create(
        _ changes: [ControlCommand.Change],
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        let request = try request(changes, name)
        try request.checkNew(program: name)
        let answer = try post("/v1/reservations", request, "Error creating the reservation: ", name)
        let made = try? ReservationName(parsing: answer)
        Host.print(["Reservation created: \(made?.name ?? request.name ?? "")"])
        return 0
    }

    static func updateReservation(
        _ changes: [ControlCommand.Change],
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        let request = try request(changes, name)
        _ = try post("/v1/reservations/update", request, "Error updating the reservation: ", name)
        Host.print(["Reservation updated."])
        return 0
    }

    static func delete(
        reservation: String,
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        let prefix = "delete_reservation reservationname=\(reservation): "
        _ = try post("/v1/reservations/delete", ReservationName(reservation), prefix, name)
        return 0
    }

    private static func post(
        _ target: String,
        _ request: some WireRecord,
        _ prefix: String,
        _ name: String
    ) throws(CommandFailure) -> [UInt8] {
        do throws(LocalClientFailure) {
            let body = request.compactBytes
            return try LocalClient().send("POST", target, body: body)
        } catch {
            var text = error.description
            // Slurm's own command says nothing that Slurm does not say.
            if case .refused(_, let body) = error, Dialect(program: name) == .slurm {
                text = body.text
            }
            throw CommandFailure(lines: [prefix + text], exitCode: 1)
        }
    }
}
