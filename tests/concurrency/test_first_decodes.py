"""Documents of types that nothing was decoded as before, decoded by several threads at once.

What goes wrong here ends the process, so that it is done in one of its own.
"""

from __future__ import annotations

import subprocess
import sys
import threading

import msgspec

from rowvault.core.decoding import decode_json, decode_msgpack

TYPES = 100
THREADS = 6


def decode_new_types() -> None:
    """Each of many types for the first time, by all threads at once."""
    barrier = threading.Barrier(THREADS)
    types = [_type(number) for number in range(TYPES)]

    def act() -> None:
        for document_type, text, packed in types:
            barrier.wait()
            assert decode_json(text, document_type) == decode_msgpack(packed, document_type)

    threads = [threading.Thread(target=act) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _type(number: int) -> tuple[type[msgspec.Struct], bytes, bytes]:
    inner = msgspec.defstruct(f"Inner{number}", [("a", int), ("b", str), ("c", list[int])])
    fields = [("x", inner), ("y", inner | None), ("z", tuple[inner, ...]), ("n", int)]
    outer = msgspec.defstruct(f"Outer{number}", fields)
    one = inner(1, "2", [3])
    whole = outer(one, one, (one, one), 4)
    return outer, msgspec.json.encode(whole), msgspec.msgpack.encode(whole)


def test_new_types_are_decoded_by_threads_at_once() -> None:
    code = "import concurrency.test_first_decodes as here; here.decode_new_types()"
    command = [sys.executable, "-c", f"import sys; sys.setswitchinterval(1e-6); {code}"]
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
