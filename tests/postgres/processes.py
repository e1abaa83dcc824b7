"""Processes that end with this one, and what each has taken of the machine."""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ends_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A process whose output goes to a file."""

    def __init__(self, words, log, user=None, env=None):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen(
                [str(word) for word in words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                env=env,
                preexec_fn=ends_with_parent,
            )

    def wait_for(self, ready, seconds):
        """Until `ready` gives something true."""
        until = time.monotonic() + seconds
        while not (found := ready()):
            if self.has_ended() or time.monotonic() > until:
                raise SystemExit(f"{self.child.args[0]} is not ready:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)
        return found

    def stop(self, number=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(number)
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def has_ended(self):
        return os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def usage(self):
        """By program, of the process and those below it: seconds on a processor, and the peak of any one in MB."""
        while not self.has_ended():
            used = {}
            try:
                for pid in [self.child.pid, *below(self.child.pid)]:
                    cpu, memory = used.get(name(pid), (0, 0))
                    used[name(pid)] = (cpu + seconds(pid), max(memory, peak(pid)))
                return used
            # One of them has ended meanwhile.
            except (OSError, IndexError):
                time.sleep(0.05)
        _, status, used = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        return {pathlib.Path(self.child.args[0]).name: (used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)}


def below(pid):
    found = []
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *below(int(child))]
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if thread.name != str(pid):
            for child in (thread / "children").read_text().split():
                found += [int(child), *below(int(child))]
    return found


def name(pid):
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return pathlib.Path(words[0].decode()).name


def seconds(pid, ended=False):
    """On a processor, with those of its children that have ended if asked."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / TICKS


def peak(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
