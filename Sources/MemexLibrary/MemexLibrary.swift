// The library's product: it carries the linker's settings, so that they reach nothing else.
@_exported import MemexABI
