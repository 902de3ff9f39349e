"""Runs command lines in forks of a process that has imported all of Rowvault, see zygote.py."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_SCRIPT = Path(__file__).with_name("zygote.py")


class Zygote:
    """One such process, started when it is first needed. Runs one command line at a time."""

    def __init__(self, prelude: str = "") -> None:
        """`prelude`: a module of the tests that it imports before it forks."""
        self._prelude = [prelude] if prelude else []
        self._lock = threading.Lock()
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str], lives_s: float | None = None
    ) -> subprocess.CompletedProcess[bytes] | None:
        """The command's end, by SIGKILL where it lives longer; None: another thread is at work."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
                request = {"arguments": arguments, "env": dict(env), "directory": os.getcwd()}
                outputs = (output.fileno(), errors.fileno())
                code = self._ask(json.dumps(request).encode(), outputs, lives_s)
                output.seek(0)
                errors.seek(0)
                return subprocess.CompletedProcess(
                    ["rowvault", *arguments], code, output.read(), errors.read()
                )
        except BaseException:
            self.stop()  # an answer may be on its way still
            raise
        finally:
            self._lock.release()

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None and self._channel is not None:
            self._channel.close()
            self._process.terminate()
            self._process.wait()
        self._process = self._channel = None

    def _ask(self, request: bytes, outputs: Sequence[int], lives_s: float | None) -> int:
        channel = self._channel or self._start()
        socket.send_fds(channel, [request], list(outputs))
        pid = self._answer(channel)
        if lives_s is None:
            return self._answer(channel)
        with contextlib.ExitStack() as stack:
            stack.callback(channel.settimeout, None)
            try:
                # A number may be another process's by the time it is used; this is the child's own.
                child = os.pidfd_open(pid)
            except ProcessLookupError:
                return self._answer(channel)  # it has ended already
            stack.callback(os.close, child)
            channel.settimeout(lives_s)
            try:
                return self._answer(channel)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):  # it ends in this moment
                    signal.pidfd_send_signal(child, signal.SIGKILL)
                channel.settimeout(None)
                return self._answer(channel)

    def _answer(self, channel: socket.socket) -> int:
        answer = channel.recv(100)
        if not answer:
            raise RuntimeError("the process that forks for the tests has ended")
        return int(answer)

    def _start(self) -> socket.socket:
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        self._process = subprocess.Popen(
            # -P: what lies beside the script is no module.
            [sys.executable, "-P", _SCRIPT, str(other.fileno()), *self._prelude],
            env={**os.environ, "PYTHONPATH": str(_SCRIPT.parents[1])},
            pass_fds=[other.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        other.close()
        return self._channel
