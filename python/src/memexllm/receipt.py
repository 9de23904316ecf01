"""What an append did."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from .thread import Thread

# Of a memex_receipt: size, duplicate, first_seq, last_seq, created_at_us, rev.
unpack = Struct("=IIqqqq").unpack_from


class Receipt:
    """What an append did.

    In a transaction all numbers are 0: they come from its commit, see Transaction.results.

    Attributes:
        thread: The thread it went to.
    """

    __slots__ = ("_values", "thread")

    def __init__(self, thread: Thread, values: tuple[int, ...]) -> None:
        self.thread = thread
        self._values = values

    @property
    def seq(self) -> int:
        """Place of the last message that was stored: of the message, when it was one."""
        return self._values[3]

    @property
    def first_seq(self) -> int:
        """Place of the first message that was stored."""
        return self._values[2]

    @property
    def last_seq(self) -> int:
        """Place of the last message that was stored."""
        return self._values[3]

    @property
    def rev(self) -> int:
        """The thread's rev after the append."""
        return self._values[5]

    @property
    def duplicate(self) -> bool:
        """Whether the idempotency key was used before: then nothing was stored again."""
        return self._values[1] == 1

    @property
    def created_at(self) -> datetime:
        """When the first message was stored; aware, UTC."""
        from ._time import from_us  # pylint: disable=import-outside-toplevel

        return from_us(self._values[4])

    @property
    def id(self) -> str:
        """Id of the last message that was stored; asked for when it is wanted."""
        return self.thread.message(self.seq).id

    def __repr__(self) -> str:
        seqs = str(self.seq) if self.first_seq == self.seq else f"{self.first_seq}-{self.seq}"
        return f"<Receipt seq {seqs}{' duplicate' if self.duplicate else ''}>"
