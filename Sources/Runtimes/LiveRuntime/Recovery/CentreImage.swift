import Billing
import Determinism
import Emulation
import Persistence
import WireFormats

/// An image of a centre's state that goes with a journal: what the journal gives up to a batch.
struct CentreImage {
    /// The state after that batch.
    let state: CentreState

    /// Why an image is passed over.
    struct Unfit: Error, CustomStringConvertible {
        var description: String
    }

    /// Reads an image and checks that it is of this journal, and that what was written along with the
    /// journal says the same.
    ///
    /// - Throws: `Unfit`.
    init(
        _ batch: Int64,
        in folder: ImageFolder,
        _ reader: CentreReader,
        _ rules: CentreRules
    ) throws(Unfit) {
        do {
            let image = try folder.image(ofBatch: batch)
            guard try reader.journalHash(ofRow: image.journalLength) == image.journalHead else {
                throw Unfit(description: "it is not of this journal")
            }
            var state = try Self.state(in: image, rules)
            state.book.lookForEntries(on: StoredLedger(reader))
            guard state.batch == batch, state.journalLength == image.journalLength,
                try reader.digests(of: batch...batch)[batch] == state.emulator.digest.value,
                try Self.ledgerHead(state, reader) == state.ledgerChain.hexText
            else { throw Unfit(description: "digest and ledger are not those of its state") }
            self.state = state
        } catch let unfit as Unfit {
            throw unfit
        } catch {
            throw Unfit(description: "\(error)")
        }
    }

    /// The hash of the ledger's row that is the last in an image, as it is stored.
    private static func ledgerHead(
        _ state: CentreState,
        _ reader: CentreReader
    ) throws(PersistenceFailure) -> String? {
        state.ledgerLength == 0
            ? HashChain().hexText : try reader.ledgerHash(ofRow: state.ledgerLength)
    }

    private static func state(
        in image: StoredImage,
        _ rules: CentreRules
    ) throws(Unfit) -> CentreState {
        do throws(ValueImage.Failure) {
            return try ValueImage.value(CentreState.self, from: image.state, context: rules)
        } catch {
            let writer = image.program.isEmpty ? "" : " (xinghed \(image.program))"
            throw Unfit(description: "\(error)\(writer)")
        }
    }
}

extension StoredImage {
    /// The image of a state.
    ///
    /// - Parameter head: the hash of the journal's last row, in hexadecimal.
    /// - Throws: `ValueImage.Failure`.
    init(_ state: CentreState, head: String, program: String) throws(ValueImage.Failure) {
        self.init(
            batch: state.batch,
            journalLength: state.journalLength,
            journalHead: head,
            program: program,
            state: try ValueImage.bytes(of: state)
        )
    }
}

extension CentreImage {
    /// What is wrong with an image, judged by the state that the journal gives; nil when nothing is, or when
    /// another version wrote it, which lays its state out otherwise.
    static func finding(
        _ folder: ImageFolder,
        _ reader: CentreReader,
        _ state: CentreState
    ) throws(PersistenceFailure) -> String? {
        let name = "image: that of batch \(state.batch)"
        let image: StoredImage
        do throws(PersistenceFailure) {
            image = try folder.image(ofBatch: state.batch)
        } catch {
            // A centre that runs removes its older images.
            return error.kind == .damaged ? "\(name) does not match its hash" : nil
        }
        guard image.journalLength == state.journalLength,
            try reader.journalHash(ofRow: image.journalLength) == image.journalHead
        else { return "\(name) is not of this journal" }
        guard let bytes = try? ValueImage.bytes(of: state),
            ValueImage.haveSameLayout(bytes, image.state), bytes != image.state
        else { return nil }
        return "\(name) is not the state that the journal gives"
    }
}

/// Where opening begins: at an image, or at the first row of the journal.
struct OpeningPoint {
    private let images: ImageFolder
    private let reader: CentreReader
    private let rules: CentreRules
    /// The batches of the images that are to be tried, the latest first.
    private let batches: [Int64]
    /// What was passed over, and why.
    private(set) var passedOver: [String] = []
    /// The state of the image at which it began; nil for the first row.
    private(set) var start: (batch: Int64, journalLength: Int64)?

    /// - Parameter usesImages: whether the journal is not to be gone through from its first row.
    init(
        _ reader: CentreReader,
        stateFolder: String,
        _ rules: CentreRules,
        usesImages: Bool = true
    ) {
        images = ImageFolder(stateFolder: stateFolder)
        self.reader = reader
        self.rules = rules
        batches = usesImages ? images.batches : []
    }

    /// The state after the whole journal.
    ///
    /// - Parameter finish: takes a state through the rest of the journal.
    /// - Throws: what `finish` throws where it begins at the first row.
    mutating func state(
        _ finish: (inout CentreState) throws(OpenFailure) -> Void
    ) throws(OpenFailure) -> CentreState {
        for batch in batches {
            do throws(CentreImage.Unfit) {
                var state = try CentreImage(batch, in: images, reader, rules).state
                let length = state.journalLength
                do throws(OpenFailure) {
                    try finish(&state)
                } catch {
                    // The image may be wrong where the journal is not.
                    throw CentreImage.Unfit(description: "\(error)")
                }
                start = (batch, length)
                return state
            } catch {
                passedOver.append("the image of batch \(batch) is passed over: \(error)")
            }
        }
        var state = CentreState(rules: rules)
        try finish(&state)
        return state
    }
}
