import CJansson

extension JSONNode {
    /// Whether two values are the same: numbers by value (1 is 1.0), strings by bytes, objects without
    /// regard to order; values of different kinds never (1 is not true).
    package func equals(_ other: JSONNode) -> Bool { equals(other, level: 0) }

    /// Documents have at most `Limits.jsonDepth` levels, which bounds the depth of calls here.
    private func equals(_ other: JSONNode, level: Int) -> Bool {
        if level > Limits.jsonDepth { return false }
        switch (kind, other.kind) {
        case (.null, .null): return true
        case (.bool, .bool): return bool == other.bool
        case (.string, .string):
            guard let left = string, let right = other.string else { return false }
            return left.equals(right)
        case (.integer, .integer): return int64 == other.int64
        case (.real, .real): return double == other.double
        case (.integer, .real): return JSONNode.same(int64, other.double)
        case (.real, .integer): return JSONNode.same(other.int64, double)
        case (.array, .array): return elementsEqual(other, level: level)
        case (.object, .object): return membersEqual(other, level: level)
        default: return false
        }
    }

    /// Exact: an integer that no Double holds equals none.
    private static func same(_ integer: Int64?, _ real: Double?) -> Bool {
        guard let integer, let real, let exact = Int64(exactly: real) else { return false }
        return integer == exact
    }

    private func elementsEqual(_ other: JSONNode, level: Int) -> Bool {
        let size = count
        guard size == other.count else { return false }
        var index = 0
        while index < size {
            guard let left = element(index), let right = other.element(index),
                left.equals(right, level: level &+ 1)
            else { return false }
            index &+= 1
        }
        return true
    }

    private func membersEqual(_ other: JSONNode, level: Int) -> Bool {
        guard count == other.count else { return false }
        var iterator = json_object_iter(pointer)
        while let here = iterator {
            guard let key = json_object_iter_key(here), let value = json_object_iter_value(here),
                let match = json_object_getn(other.pointer, key, json_object_iter_key_len(here)),
                JSONNode(value).equals(JSONNode(match), level: level &+ 1)
            else { return false }
            iterator = json_object_iter_next(pointer, here)
        }
        return true
    }
}
