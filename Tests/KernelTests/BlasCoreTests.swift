import Foundation
import Testing
import WireFormats

@testable import ComputeKernels

@Suite("The core of BLAS suits the processor", .serialized)
struct BlasCoreTests {
    @Test(
        "A core with narrower vectors than the processor's is found",
        arguments: [
            ("Prescott", 3, true, "SkylakeX"), ("Prescott", 2, true, "Haswell"),
            ("Nehalem", 1, true, "Sandybridge"), ("Haswell", 3, true, "SkylakeX"),
            ("Sandybridge", 2, false, "Haswell"), ("Prescott", 3, false, "Haswell"),
            ("SapphireRapids", 3, true, nil), ("SkylakeX", 3, true, nil), ("Haswell", 2, true, nil),
            // AMD's AVX-512, a processor of another kind, and a core of the future.
            ("Zen", 3, false, nil), ("neoversen1", -1, false, nil), ("Dodo", 3, true, nil),
        ] as [(String, Int, Bool, String?)]
    )
    func judges(core: String, vectors: Int, isIntel: Bool, better: String?) {
        let found = BlasCore(name: core, chooser: .library, vectors: vectors, isIntel: isIntel)
        #expect(found.better == better)
        #expect((found.warning == nil) == (better == nil))
    }

    @Test("The core in use multiplies as plain loops do")
    func selfCheck() {
        #expect(BlasCore.isRight())
    }

    @Test("A kernel says what it was measured on")
    func surroundingsAreSaid() async throws {
        let line = try await runKernel(["gemm", "--size", "64"], ranks: 2).measurement()
        let on = try #require(line["on"])
        for (member, start) in [
            ("blas", "OpenBLAS "), ("mpi", "Open MPI"), ("fft", "fftw-3"), ("compiler", "Swift 6."),
            ("hwloc", ""), ("processor", ""), ("blas_core", ""), ("blas_core_by", ""),
        ] {
            let text = try #require(on[member]?.string, "\(member)")
            #expect(
                text.hasPrefix(start) && text != "unknown" && !text.isEmpty,
                "\(member): \(text)"
            )
        }
        let clock = try #require(on["clock_hertz"]?.double)
        #expect(clock > 1e8 && clock < 1e10)
        #expect(try #require(on["load_average"]?.double) >= 0)
    }

    #if arch(x86_64)
        @Test("A core that is too slow is replaced, once, and the line says so")
        func slowCoreIsReplaced() async throws {
            let library = try PreloadLibrary(source: oldLibrary)
            for ranks in [nil, 2] {
                let result = try await runKernel(
                    ["gemm", "--size", "64"],
                    ranks: ranks,
                    environment: ["LD_PRELOAD": library.path]
                )
                let on = try #require(try result.measurement()["on"])
                #expect(on["blas_core_by"]?.string == "xinghe-kernel, instead of Prescott")
                #expect(on["blas_core"]?.string != "Prescott")
                #expect(on["blas_core_better"] == .null)
                #expect(!result.errors.contains("warning"), "\(result.errors)")
            }
        }

        @Test("A better core whose products are wrong is not kept, and the slow one is warned of")
        func wrongCoreIsNotKept() async throws {
            let library = try PreloadLibrary(source: "#define WRONG 1\n" + oldLibrary)
            let result = try await runKernel(
                ["gemm", "--size", "64"],
                environment: ["LD_PRELOAD": library.path]
            )
            let on = try #require(try result.measurement()["on"])
            #expect(on["blas_core"]?.string == "Prescott")
            #expect(on["blas_core_better"]?.string != nil)
            #expect(result.errors.contains("computes with its core Prescott"), "\(result.errors)")
        }

        @Test("A core that the user has chosen is kept and warned of")
        func chosenCoreIsKept() async throws {
            let result = try await runKernel(
                ["gemm", "--size", "64"],
                environment: ["OPENBLAS_CORETYPE": "Prescott"]
            )
            let on = try #require(try result.measurement()["on"])
            #expect(on["blas_core"]?.string == "Prescott")
            #expect(on["blas_core_by"]?.string == "environment")
            #expect(result.errors.contains("as OPENBLAS_CORETYPE says"), "\(result.errors)")
        }

        /// An OpenBLAS that does not know the processor: Prescott unless told otherwise.
        private var oldLibrary: String {
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdlib.h>
            char *openblas_get_corename(void) {
                if (!getenv("OPENBLAS_CORETYPE")) return "Prescott";
                return ((char *(*)(void))dlsym(RTLD_NEXT, "openblas_get_corename"))();
            }
            #ifdef WRONG
            void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha,
                             const float *a, int lda, const float *b, int ldb, float beta, float *c,
                             int ldc) {}
            #endif
            """
        }
    #endif
}
