import Foundation
import MemexModel
import MemexTokens

// vocabulary-images <rank file> <image>: what `make generate-vocabularies` runs for each built-in vocabulary.
let arguments = CommandLine.arguments
guard arguments.count == 3, let text = FileManager.default.contents(atPath: arguments[1]) else {
    FileHandle.standardError.write(Data("usage: vocabulary-images <rank file> <image>\n".utf8))
    exit(2)
}
do {
    let image = try text.withUnsafeBytes {
        let image = try RankFile.image($0.bindMemory(to: UInt8.self), name: arguments[1])
        return Data(image.view)
    }
    try image.write(to: URL(fileURLWithPath: arguments[2]))
} catch {
    FileHandle.standardError.write(Data("error: \(arguments[1]): \(error)\n".utf8))
    exit(1)
}
