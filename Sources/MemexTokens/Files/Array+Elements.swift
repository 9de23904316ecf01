extension Array {
    /// Goes through the elements until the closure says false; unlike a loop this has no way to trap.
    @inline(__always)
    func forEachElement(_ body: (Element) -> Bool) {
        withUnsafeBufferPointer { elements in
            guard let base = elements.baseAddress else { return }
            var index = 0
            while index < elements.count {
                if !body(base[index]) { return }
                index &+= 1
            }
        }
    }
}
