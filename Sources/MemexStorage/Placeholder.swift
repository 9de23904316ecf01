internal import MemexModel
