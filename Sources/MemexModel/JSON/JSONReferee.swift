import CJansson

#if canImport(Glibc)
    import Glibc
#endif

/// jansson's verdict on text that the scanner declined and `JSONSyntax` found well-formed.
enum JSONReferee {
    /// What jansson is asked for everywhere.
    static let flags = Int(JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY)

    /// jansson's hash tables get a random seed before the first parse of the process.
    private static let seeded: Void = json_object_seed(0)

    /// Asks whether a well-formed value, which stands at `offset` of what was passed, has a fault that
    /// only jansson sees: a key that comes twice.
    ///
    /// jansson reads reals by the host's locale, which may change between two of its steps: it gets none.
    static func judge(_ value: ByteView, at offset: Int) throws(MemexError) {
        let copy = try copied(value)
        defer { free(copy) }
        NumberRewrite.references.apply(copy, value.count)
        let values = RefereeCopy.shrink(copy, value.count)
        if values > RefereeCopy.maximumValues {
            throw MemexError(
                .limit,
                "JSON has too many values in one piece that are deep, have escaped keys or many keys; "
                    + "at most \(RefereeCopy.maximumValues) are allowed",
                detailMembers: "\"limit\":\(RefereeCopy.maximumValues)")
        }
        json_decref(try load(copy, value, offset))
    }

    /// Parses a value, which must be well-formed. Numbers that jansson has no room for become others: see
    /// `NumberRewrite`.
    static func parse(
        _ value: ByteView, hasHugeNumbers: Bool
    ) throws(MemexError) -> UnsafeMutablePointer<json_t> {
        guard let base = value.baseAddress, value.count > 0 else {
            throw JSONFault(.unexpectedEnd, 0).error()
        }
        if !hasHugeNumbers { return try load(base, value, 0) }
        let copy = try copied(value)
        defer { free(copy) }
        NumberRewrite.huge.apply(copy, value.count)
        return try load(copy, value, 0)
    }

    private static func copied(_ value: ByteView) throws(MemexError) -> UnsafeMutablePointer<UInt8> {
        guard let base = value.baseAddress, value.count > 0 else {
            throw JSONFault(.unexpectedEnd, 0).error()
        }
        guard let memory = malloc(value.count) else { throw MemexError.noMemory }
        memcpy(memory, base, value.count)
        return memory.assumingMemoryBound(to: UInt8.self)
    }

    private static func load(
        _ base: UnsafePointer<UInt8>, _ value: ByteView, _ offset: Int
    ) throws(MemexError) -> UnsafeMutablePointer<json_t> {
        _ = seeded
        var report = json_error_t()
        let previous = CLocale.enter()
        let text = UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self)
        let parsed = json_loadb(text, value.count, flags, &report)
        CLocale.leave(previous)
        if let parsed { return parsed }
        guard let fault = fault(report, value) else { throw MemexError.noMemory }
        throw fault.error(base: offset)
    }

    /// What a refusal means for text that is well-formed, of at most `Limits.jsonDepth` levels and without
    /// numbers that jansson has no room for: a fault of its keys. Otherwise memory ran out, which jansson
    /// reports in various ways, mostly as wrong syntax; then the answer is nil.
    @inline(never)
    private static func fault(_ report: json_error_t, _ value: ByteView) -> JSONFault? {
        var report = report
        let reason = json_error_code(&report)
        let place = RawCursor.stringStart(value, Int(report.position))
        if reason == json_error_duplicate_key { return JSONFault(.duplicateKey, place) }
        if reason == json_error_null_byte_in_key { return JSONFault(.nulInKey, place) }
        return nil
    }
}

/// Makes the calling thread use the C locale for a while, so that a host's comma is no decimal point here.
private enum CLocale {
    private nonisolated(unsafe) static let locale = newlocale(Int32(1) &<< LC_NUMERIC, "C", nil)

    static func enter() -> locale_t? {
        guard let locale else { return nil }
        return uselocale(locale)
    }

    static func leave(_ previous: locale_t?) {
        if let previous { _ = uselocale(previous) }
    }
}
