import Foundation
import Histories

extension TwinlineSim {
    func keep(_ history: History, at path: String) throws {
        try Data(HistoryFormat.lines(of: history)).write(to: URL(filePath: path))
    }
}
