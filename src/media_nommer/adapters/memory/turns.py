"""Turns in one class of a queue: how groups share what is taken."""

#: So many groups are remembered before any is forgotten.
_FEW = 64


class Turns:
    """Gives turns in the manner of start-time fair queueing.

    A group's turns follow one another, and none begins before the one that was taken last:
    so a group with one message meets a thousand of another's at their first that waits,
    not behind their last. Only groups that are ahead of what was taken are remembered.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._last: dict[str, int] = {}
        self._tidy_at = _FEW

    def next_of(self, group: str) -> int:
        """Give a group its next turn."""
        turn = max(self._taken, self._last.get(group, -1) + 1)
        self._last[group] = turn
        if len(self._last) > self._tidy_at:
            self._tidy()
        return turn

    def take(self, turn: int) -> None:
        """Write down that a turn has come."""
        self._taken = max(self._taken, turn)

    def _tidy(self) -> None:
        """Forget the groups that are not ahead: they begin where all begin."""
        self._last = {
            group: turn for group, turn in self._last.items() if turn >= self._taken
        }
        self._tidy_at = max(_FEW, 2 * len(self._last))
