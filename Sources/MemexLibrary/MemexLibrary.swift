@_exported import MemexABI
