import Determinism

// F1 to F4: functions that regression found in simulations of many queues. All are static.
//
// Source: Carastan-Santos, de Camargo, "Obtaining Dynamic Scheduling Policies with Simulation and
// Machine Learning", SC'17, table 3. Notation: r planned run time, n nodes (cores where shared),
// s the time of submission, from the first submission of all; r and s in s and at least 1.

extension QueueOrder {
    private static func learned(
        _ name: String,
        _ summary: String,
        _ score: @escaping @Sendable (_ r: Double, _ n: Double, _ s: Double) -> Double
    ) -> QueueOrder {
        QueueOrder(
            name: name,
            summary: summary,
            source: "Carastan-Santos, de Camargo, SC'17"
        ) { job in
            OrderValue.ascending(
                score(
                    Double(max(1, job.plannedSeconds)),
                    Double(max(1, job.units)),
                    max(1, job.submittedSeconds)
                )
            )
        }
    }

    /// log₁₀ r · n + 870 log₁₀ s.
    public static let f1 = learned("f1", "lowest log10(r)*n + 870*log10(s) first") { r, n, s in
        ReproducibleMath.log10(r) * n + 870 * ReproducibleMath.log10(s)
    }

    /// √r · n + 25,600 log₁₀ s.
    public static let f2 = learned("f2", "lowest sqrt(r)*n + 25600*log10(s) first") { r, n, s in
        r.squareRoot() * n + 25_600 * ReproducibleMath.log10(s)
    }

    /// r · n + 6,860,000 log₁₀ s.
    public static let f3 = learned("f3", "lowest r*n + 6860000*log10(s) first") { r, n, s in
        r * n + 6_860_000 * ReproducibleMath.log10(s)
    }

    /// r · √n + 530,000 log₁₀ s.
    public static let f4 = learned("f4", "lowest r*sqrt(n) + 530000*log10(s) first") { r, n, s in
        r * n.squareRoot() + 530_000 * ReproducibleMath.log10(s)
    }
}
