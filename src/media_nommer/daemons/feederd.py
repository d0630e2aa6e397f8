"""feederd as a process: settings in, exit status out."""

import sys
from collections.abc import Callable
from datetime import timedelta

import structlog

from media_nommer import wiring
from media_nommer.conf import load_settings
from media_nommer.conf.logs import set_up_logs
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import NommerError
from media_nommer.core.ports.fleet import Fleet
from media_nommer.daemons.chores import Household, duty_lease
from media_nommer.daemons.opening import AskedToStop, opened_engine
from media_nommer.feederd.duties import Duties
from media_nommer.feederd.running import (
    Signals,
    drain_fleet,
    listen,
    sole_user,
    wait_until,
)
from media_nommer.feederd.scaler import Decided, Scaler
from media_nommer.feederd.service import JobService
from media_nommer.planning.fleet.scaling import Limits

log = structlog.get_logger(__name__)

#: What a node may take beyond its own `drain_timeout` to hand back and end.
_TIME_TO_HAND_BACK = timedelta(seconds=15)


def run_feederd(
    settings: Settings, *, announce: Callable[[str], None] | None = None
) -> int:
    """Run feederd until it is asked to stop by SIGINT or SIGTERM; return the exit status.

    Only the main thread can: signals come to it. The rest is as `feed_until_asked` says.
    """
    set_up_logs(settings.log_level, settings.log_format)
    with Signals().caught() as signals:
        return feed_until_asked(settings, signals, announce=announce)


def feed_until_asked(
    settings: Settings,
    signals: Signals,
    *,
    announce: Callable[[str], None] | None = None,
) -> int:
    """Run feederd in this thread until ``signals`` asks it to stop; return the exit status.

    ``announce`` is told in sentences where it listens and how it ends. When asked to stop
    it has the local workers drain; what they hand back goes on at the next start. A second
    request hurries them. A store that is away at the start is waited for.

    Raises:
        DataDirInUse: another feederd has the data directory.
        InvalidSetting: the port cannot be had, or a setting cannot be used.
        NommerError: the store or the queue cannot be opened.
    """
    try:
        return _feed(settings, signals, announce or _log_it)
    except AskedToStop:
        log.info("feederd_never_started")
        return 0


def _feed(settings: Settings, signals: Signals, tell: Callable[[str], None]) -> int:
    with (
        sole_user(settings.data_dir) as name,
        opened_engine(settings, asked_to_stop=lambda: signals.asked > 0) as engine,
        listen(settings.host, settings.port) as bound,
    ):
        # These take memory and time to load, and a refused start needs neither.
        from media_nommer.feederd.api import create_app  # noqa: PLC0415
        from media_nommer.feederd.server import Server  # noqa: PLC0415

        parts = wiring.open_fleet(settings)
        duties = Duties(engine, name, lease=duty_lease(settings))
        scaler = None
        if parts is not None:
            scaler = Scaler(engine, parts.fleet, _limits(settings), parts.offer)
        household = Household(settings, engine, parts, scaler, duties)
        service = JobService(
            engine=engine,
            outside=wiring.open_outside(settings, engine),
            job_timeout=settings.job_timeout,
            royalty_free=settings.royalty_free,
            on_new_work=household.there_is_work,
            kinds=tuple if parts is None else parts.offer,
            decided=lambda: _decided(scaler, duties),
        )
        server = Server(create_app(service, loopback=settings.loopback), bound)
        server.start()
        household.start()
        if not settings.loopback:
            log.warning("feederd_answers_everybody", host=settings.host)
        log.info("feederd_started", url=server.url, data_dir=str(settings.data_dir))
        tell(f"feederd listens on {server.url}")
        wait_until(lambda: signals.asked > 0 or not server.running)
        failed = not signals.asked
        tell("feederd is stopping")
        server.stop()
        household.end()
        if parts is not None:
            _end_fleet(settings, parts.fleet, signals, tell)
    log.info("feederd_stopped")
    return int(failed)


def _limits(settings: Settings) -> Limits:
    return Limits(
        on=settings.scaling == "on",
        min_nodes=settings.min_nodes,
        max_nodes=settings.max_nodes,
        max_hourly_cost=settings.max_hourly_cost,
        jobs_per_node=settings.jobs_per_node,
        overflow_threshold=settings.overflow_threshold,
        schedule=settings.schedule,
    )


def _decided(scaler: Scaler | None, duties: Duties) -> Decided | None:
    """Return what was decided last on the fleet, None where another feederd decides."""
    if scaler is None or not duties.holds("scaler"):
        return None
    return scaler.decided


def _end_fleet(
    settings: Settings, fleet: Fleet, signals: Signals, tell: Callable[[str], None]
) -> None:
    if fleet.outlives_feederd:
        tell("the workers go on until there is nothing to do")
        return
    count = len(fleet.alive())
    if not count:
        return
    tell(f"waiting for {count} local worker(s) to finish or hand back; Ctrl-C hurries them")
    killed = drain_fleet(
        fleet, signals, patience=settings.drain_timeout + _TIME_TO_HAND_BACK
    )
    if killed:
        tell(f"{killed} worker(s) did not end and were killed; their work goes on later")
    else:
        tell("all local workers have ended; unfinished jobs go on at the next start")


def _log_it(sentence: str) -> None:
    log.info("feederd_says", message=sentence)


def main() -> int:
    """Run feederd with the settings of its file and environment alone."""
    try:
        return run_feederd(load_settings())
    except NommerError as error:
        sys.stderr.write(f"feederd: {error.message}\n{error.advice}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
