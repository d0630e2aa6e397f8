"""What a node does with the time that is left to it: go on with a task, or hand it back."""

from datetime import timedelta

#: What a hand-back may take: to end an encoder, to keep its log, to change three records.
HAND_BACK_TAKES = timedelta(seconds=30)

#: Nobody says earlier that a machine is taken back; more is a clock that is wrong.
LONGEST_NOTICE = timedelta(minutes=2)

#: Progress below this says more about how an attempt starts than about how fast it is.
_TELLING_PROGRESS = 0.05

#: An attempt is given up only if it would need so many times the time that there is: to
#: throw away what would have been done costs all of it again, to wait in vain two minutes.
_DOUBT = 1.5


def time_to_work(reclaimed_in: timedelta) -> timedelta:
    """Return how long to go on on a machine that is taken back in so long."""
    there_is = min(reclaimed_in, LONGEST_NOTICE)
    return max(there_is - HAND_BACK_TAKES, timedelta())


def is_hopeless(*, elapsed: float, progress: float, left: float) -> bool:
    """Return whether an attempt will not be done in the seconds that are ``left``.

    ``progress`` (0 to 1) is what it has made in ``elapsed`` seconds. Before that tells
    anything, it is taken to be about to.
    """
    done = min(max(progress, _TELLING_PROGRESS), 1.0)
    return max(elapsed, 0.0) * (1 - done) / done > _DOUBT * max(left, 0.0)
