/// All kernels, by name.
public enum KernelCatalogue {
    static var kernels: [any Kernel.Type] {
        [
            AlignmentKernel.self,
            ConjugateGradientKernel.self,
            CommunicationKernel.self,
            FourierKernel.self,
            MatrixProductKernel.self,
            GraphKernel.self,
            HPCGKernel.self,
            InferenceKernel.self,
            LUKernel.self,
            MolecularDynamicsKernel.self,
            ShallowWaterKernel.self,
            StencilKernel.self,
            StreamKernel.self,
            TrainingKernel.self,
        ]
    }

    /// Those that have code for cards, in order of name.
    static var cardKernels: [any Kernel.Type] {
        [
            CardGradientKernel.self, CardProductKernel.self, CardStencilKernel.self,
            CardStreamKernel.self,
        ]
    }

    /// Whether `name` has code for cards.
    public static func runsOnCards(_ name: String) -> Bool {
        cardKernels.contains { $0.profile.name == name }
    }

    /// What users see of each kernel, in order of name.
    public static var profiles: [KernelProfile] {
        kernels.map { $0.profile }
    }

    static func kernel(
        named name: String,
        onCard: Bool = false
    ) throws(KernelFailure) -> any Kernel.Type {
        guard let kernel = kernels.first(where: { $0.profile.name == name }) else {
            throw .unknownKernel(name)
        }
        guard onCard else { return kernel }
        guard let other = cardKernels.first(where: { $0.profile.name == name }) else {
            throw .notOnCards(kernel: name)
        }
        return other
    }
}
