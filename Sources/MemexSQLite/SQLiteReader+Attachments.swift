internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Derived records and blobs.
extension SQLiteReader {
    func derived(
        _ key: Int64, kind: String, name: String?, _ visit: (DerivedRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let statement = name == nil ? derivedAll : derivedOne
        var (kindText, nameText) = (kind, name ?? "")
        let failure: MemexError? = kindText.withUTF8 { kindBytes in
            nameText.withUTF8 { nameBytes in
                statement.bind(1, key)
                statement.bind(2, text: kindBytes)
                if name != nil { statement.bind(3, text: nameBytes) }
                do throws(MemexError) {
                    try rows(statement, "reading derived records") { () throws(MemexError) -> Bool in
                        var record = DerivedRecord(
                            kind: kind, name: statement.text(0), body: Array(statement.bytes(5)))
                        record.fromSeq = statement.stored(1)
                        record.toSeq = statement.stored(2)
                        record.rev = statement.stored(3)
                        record.createdAt = statement.stored(4)
                        try record.confirm()
                        return try visit(record)
                    }
                    return nil
                } catch { return error }
            }
        }
        if let failure { throw failure }
    }

    func blob(_ hash: BlobHash) throws(MemexError) -> [UInt8]? {
        let address = hash.bytes
        var found: [UInt8]?
        let failure: MemexError? = address.withUnsafeBufferPointer { address in
            blob.bind(1, blob: address)
            do throws(MemexError) {
                try rows(blob, "reading a blob") { () throws(MemexError) -> Bool in
                    found = Array(blob.bytes(0))
                    return false
                }
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        return found
    }
}
