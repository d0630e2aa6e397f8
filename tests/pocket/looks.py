"""How well the end of an instance can be known to who looks now and then."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.pocket.instances import Instance

#: With looks further apart than this feederd does not go by them.
_LONG = timedelta(seconds=5)


def unseen(instance: Instance, looks: Sequence[datetime], last_word: datetime) -> float:
    """Return how many seconds there are of which any may be that of an instance's end.

    They begin with the last look that saw it alive, and end with the second after its end:
    the answer of a look may come to who asked at any time before the next one. After a long
    time without one feederd goes by the last word of the node.
    """
    ended = instance.ended_at
    assert ended is not None, "it has ended"
    begin = max((at for at in looks if at <= ended), default=instance.made_at)
    after = [at for at in looks if at > ended]
    end = after[1] if len(after) > 1 else datetime.now(UTC)
    if end - begin > _LONG:
        begin = min(begin, last_word)
    return (end - begin).total_seconds()
