import Engine
import Store

extension WorkerFailure {
    init(_ error: StoreError) {
        let text = "\(error)"
        switch error {
        case .copiesDiffer, .digestDiffers, .schemaVersionDiffers, .schemaDiffers: self = .copiesDiffer(text)
        case .damaged: self = .damaged(text)
        case .diskFull: self = .diskFull(text)
        default: self = .failed(text)
        }
    }
}
