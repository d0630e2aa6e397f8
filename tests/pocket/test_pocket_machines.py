"""Stand-in machines: they run what they are told, and can do nothing to their host."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import psutil
import pytest

from tests.acceptance.site import wait_until
from tests.pocket import standin, userdata
from tests.pocket.lines import Line
from tests.pocket.sockets import listening
from tests.pocket.standin import Plan, StandIn

pytestmark = pytest.mark.usefixtures("machines")

#: How long a machine may take for what takes it a moment, in seconds.
PATIENCE = 120


def machine(folder: Path, script: str, **more: object) -> StandIn:
    text = script if script.startswith("#") else f"#!/bin/sh\n{script}"
    return StandIn(
        Plan(
            id="i-1",
            hostname="ip-10-0-0-1",
            folder=folder / "i-1",
            steps=userdata.read(text.encode()),
            **more,  # type: ignore[arg-type]
        )
    )


def said_by(folder: Path, script: str) -> str:
    with machine(folder, f"{script}\nshutdown -h now\n") as running:
        assert running.ended(PATIENCE), running.said()
        return running.said()


def nobody() -> socket.socket:
    raise ConnectionRefusedError("nobody is there")


def holds(running: StandIn) -> list[psutil.Process]:
    """Return the processes of a machine that has said that it starts no more of them."""
    return [psutil.Process(pid) for pid in running.processes()]


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that run yet; another that was given the same number is not one."""
    return [process for process in processes if process.is_running()]


def test_what_user_data_writes_anywhere_does_not_reach_the_host(tmp_path: Path) -> None:
    name = f"pocket-{uuid.uuid4().hex}"
    places = ("/etc", "/opt", "/usr/bin", "/var/lib", "/root", "/tmp", "/run", "/")

    said = said_by(
        tmp_path,
        "".join(f"echo hello > {place}/{name} && cat {place}/{name}\n" for place in places),
    )

    assert said.count("hello") == len(places)
    assert not [place for place in places if (Path(place) / name).exists()]


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param("mount -t tmpfs none /mnt", id="mounts"),
        pytest.param("mount -o remount,rw /sys", id="kernel objects"),
        pytest.param("echo 1 > /proc/sys/kernel/panic_on_oops", id="kernel settings"),
        pytest.param("echo h > /proc/sysrq-trigger", id="the kernel's own key"),
        pytest.param("mknod /tmp/disk b 8 0", id="devices"),
        pytest.param("date -s @$(date +%s)", id="the clock"),
        pytest.param("kill -0 $PPID && kill -0 1000000", id="other processes"),
        pytest.param("ls /dev/sda /dev/vda /dev/nvme0n1 /dev/mem", id="disks and memory"),
        pytest.param(f"ls {Path(__file__).parent}", id="the checkout"),
    ],
)
def test_user_data_has_no_power_over_the_host(tmp_path: Path, attempt: str) -> None:
    said = said_by(tmp_path, f"if {attempt}; then echo could; else echo refused; fi")

    assert "refused" in said
    assert "could" not in said


def test_a_machine_sees_no_processes_but_its_own(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "98765"]) as outside:
        said = said_by(tmp_path, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        outside.kill()

    assert "-m tests.pocket.keeper" in said  # its own init
    assert "sleep 98765" not in said


def test_a_machine_reaches_nothing_outside_but_what_answers_it(tmp_path: Path) -> None:
    reach = """#!/usr/bin/env python3
import socket, subprocess
for host, port in (("127.0.0.1", 22), ("1.1.1.1", 53), ("169.254.169.253", 53)):
    try:
        socket.create_connection((host, port), 60).close()
        print("reached", host)
    except OSError as error:
        print("not", host)
print(sorted(name for _, name in socket.if_nameindex()), flush=True)
subprocess.run(["shutdown", "-h", "now"])
"""
    with machine(tmp_path, reach) as running:
        assert running.ended(PATIENCE)
        said = running.said()

    assert said.count("not ") == 3
    assert "reached" not in said
    assert "['lo']" in said


def test_nothing_that_listens_in_a_machine_is_reached_from_the_host(tmp_path: Path) -> None:
    # No system gives these to one who asks for any port.
    listens = """#!/usr/bin/env python3
import socket
listener = socket.create_server(("0.0.0.0", 5454))
socket.create_connection(("127.0.0.1", 5454), 60).close()
print("it listens", flush=True)
listener.accept()
listener.accept()
"""
    with machine(tmp_path, listens, listen=(("127.0.0.1", 5455),)) as running:
        wait_until("it listens", lambda: "it listens" in running.said())

        listening = {
            int(line.split()[1].rpartition(":")[2], 16)
            for name in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
            if line.split()[3] == "0A"
        }

    assert not {5454, 5455} & listening


def test_a_killed_machine_leaves_no_process(tmp_path: Path) -> None:
    script = """\
for n in 1 2 3; do setsid sh -c 'trap "" TERM; echo this runs; exec sleep 1000' & done
wait
"""
    with machine(tmp_path, script) as running:
        wait_until("they run", lambda: running.said().count("this runs") == 3)
        processes = holds(running)

        running.kill()

        assert len(processes) >= 6  # its keeper, its init, the script and these three
        assert not alive(processes)
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def test_machines_die_with_the_process_that_has_them(tmp_path: Path) -> None:
    holder = f"""
import time
from pathlib import Path
from tests.acceptance.site import wait_until
from tests.pocket.test_pocket_machines import machine
running = machine(Path({str(tmp_path)!r}), "echo it runs; exec sleep 1000")
wait_until("it runs", lambda: "it runs" in running.said())
print(*running.processes(), flush=True)
time.sleep(1000)
"""
    with subprocess.Popen(
        [sys.executable, "-c", holder],
        stdout=subprocess.PIPE,
        cwd=standin.CHECKOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        processes = [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]

        process.send_signal(signal.SIGKILL)

    assert len(processes) >= 3  # its keeper, its init and the script
    wait_until("all of it is gone", lambda: not alive(processes))


UNIT = """#!/bin/sh
cat > /etc/systemd/system/work.service <<'END'
[Service]
Environment="WHAT=a word"
EnvironmentFile=-/etc/none
EnvironmentFile=/etc/work.env
ExecStart=/bin/sh -c 'trap "echo asked to stop; exit 3" TERM; \\
  until [ -e /run/started ]; do sleep 0.05; done; \\
  id -u; echo $WHAT, $MORE, $HOME; echo begun; %s'
ExecStopPost=+/bin/sh -c 'id -u; echo after $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS'
ExecStopPost=+shutdown -h now
DynamicUser=yes
StateDirectory=work
KillMode=mixed
TimeoutStopSec=60
Restart=no
END
echo 'MORE="more words"' > /etc/work.env
systemctl daemon-reload
systemctl start work.service
echo started
touch /run/started
"""


def test_a_unit_runs_as_it_says_and_its_machine_goes_off_after_it(tmp_path: Path) -> None:
    with machine(tmp_path, UNIT % "touch /var/lib/work/mine && echo wrote") as running:
        assert running.ended(PATIENCE)
        said = running.said().splitlines()

    assert [
        line for line in said if not line.startswith("pocket:") and line != "started"
    ] == [
        "61999",
        "a word, more words, /",
        "begun",
        "wrote",
        "0",
        "after success exited 0",
    ]
    assert "started" in said


LASTING = """#!/bin/sh
cat > /etc/systemd/system/lasting.service <<'END'
[Service]
ExecStart=/bin/sh -c 'echo begun $$$$; exec sleep 1000'
Restart=always
END
systemctl start lasting.service
"""


def test_a_unit_that_is_to_last_is_started_again_when_it_dies_until_the_machine_stops(
    tmp_path: Path,
) -> None:
    def begun() -> int:
        return running.said().count("begun ")

    with machine(tmp_path, LASTING) as running:
        wait_until("it has begun", lambda: begun() == 1, timeout=60)
        (sleeps,) = [p for p in running.processes() if "sleep" in program(p)]
        os.kill(sleeps, signal.SIGKILL)
        wait_until("it has begun again", lambda: begun() == 2, timeout=60)

        running.stop()

        assert running.ended(60), running.said()
    assert begun() == 2


def program(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


@pytest.mark.parametrize(("listens", "reached"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_a_machine_is_reached_at_its_own_address_where_somebody_listens_there(
    tmp_path: Path, listens: str, reached: bool
) -> None:
    answers = f"""#!/usr/bin/env python3
import socket
listener = socket.create_server(({listens!r}, 45454))
print("it listens", flush=True)
while True:
    listener.accept()[0].sendall(b"hello")
"""
    with machine(tmp_path, answers, address="10.0.0.9") as running:
        wait_until("it listens", lambda: "it listens" in running.said(), timeout=60)

        with running.dial("127.0.0.1", 45454) as inside:
            assert inside.recv(5) == b"hello"
        if reached:
            with running.dial("10.0.0.9", 45454) as outside:
                assert outside.recv(5) == b"hello"
        else:
            with pytest.raises(ConnectionRefusedError):
                running.dial("10.0.0.9", 45454)


def test_a_machine_that_is_switched_off_asks_its_units_to_stop_first(
    tmp_path: Path,
) -> None:
    with machine(tmp_path, UNIT % "while :; do sleep 0.1; done") as running:
        wait_until("it has begun", lambda: "begun" in running.said())

        running.stop()

        assert running.ended(PATIENCE)
        said = running.said()
    assert said.index("asked to stop") < said.index("after exit-code exited 3")


def test_a_machine_whose_network_is_cut_reaches_nobody_until_it_is_mended(
    tmp_path: Path,
) -> None:
    asks = """#!/usr/bin/env python3
import socket, time
def reached():
    try:
        socket.create_connection(("127.0.0.1", 5005), 2).close()
        return "reached"
    except OSError:
        return "cut off"
before = ""
while True:
    now = reached()
    if now != before:
        print(now, flush=True)
    before = now
    time.sleep(0.02)
"""
    with (
        machine(tmp_path, asks, listen=(("127.0.0.1", 5005),)) as running,
        contextlib.closing(Line(running.listeners[0], nobody)),  # takes what comes
    ):
        said = lambda: [w for w in running.said().splitlines() if "pocket:" not in w]  # noqa: E731
        wait_until("it reaches", lambda: said() == ["reached"])
        running.cut()
        wait_until("it is cut off", lambda: said() == ["reached", "cut off"])
        running.mend()
        wait_until("it is back", lambda: said() == ["reached", "cut off", "reached"])


def test_an_open_port_is_seen_among_the_sockets_of_a_process() -> None:
    with socket.create_server(("127.83.12.9", 0)) as open_port:  # nobody else is there
        assert open_port.getsockname() in listening([os.getpid()])

        closed = open_port.getsockname()
    assert closed not in listening([os.getpid()])
