"""A process that has imported all of Rowvault, and forks for each command line that it is sent.

The child has the arguments, the environment, the directory and the outputs of a process that was
started for itself; only the imports are done already. It ends as one does, with its threads joined,
its exit functions called and its outputs written; only what the interpreter then still takes apart,
object by object, is left to the system, because that takes longer than most commands. A request is
a JSON document with two file descriptors; the answers are the child's pid and its exit code.
Nothing is ever opened before the fork.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import socket
import sys
import threading
import time
from collections.abc import Iterator

_LARGEST_REQUEST = 1 << 20


def modules() -> Iterator[str]:
    """All of Rowvault but the mount, whose libraries nobody else needs, and the entry point."""
    import rowvault

    for found in pkgutil.walk_packages(rowvault.__path__, "rowvault."):
        if ".mount" not in found.name and not found.name.endswith("__main__"):
            yield found.name


def serve(channel: socket.socket) -> None:
    """Until the other side goes away; returns in each child, ready to be the command."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, _LARGEST_REQUEST, 2)
        if not message:
            raise SystemExit
        child = os.fork()
        if child == 0:
            channel.close()
            _become(json.loads(message), descriptors)
            return
        for one in descriptors:
            os.close(one)
        channel.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, object], descriptors: list[int]) -> None:
    for number, one in enumerate(descriptors, 1):
        os.dup2(one, number)
        os.close(one)
    arguments, environment, directory = request["arguments"], request["env"], request["directory"]
    assert isinstance(arguments, list)
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(str(directory))
    sys.argv = ["rowvault", *arguments]


def _end(code: object) -> None:
    """What the interpreter does behind SystemExit with this code, up to where it frees memory."""
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code or 0) & 0xFF)


if __name__ == "__main__":
    for name in (*modules(), *sys.argv[2:]):
        importlib.import_module(name)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    from rowvault.cli.main import main

    try:
        main()
    except SystemExit as end:
        _end(end.code)
