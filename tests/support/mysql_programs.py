"""Where a MySQL server and its clients are, and how they are run.

First, what `.ci/mysql-root` has unpacked: in the directory that ROWVAULT_TEST_MYSQL_ROOT names, or
in the cache directory. It may need a newer C library than the machine's; therefore its programs are
run by the dynamic linker that lies among them, with its libraries. Else, what is installed.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.server import find_program

MAKE_ROOT = Path(__file__).parents[2] / ".ci" / "mysql-root"
"""Unpacks a MySQL where it is looked for."""

HOW_TO_GET = (
    "no MySQL server is here: run .ci/mysql-root (Debian; 65 MB, no root needed), install mysqld,"
    " or name throw-away servers by ROWVAULT_TEST_MYSQL and ROWVAULT_TEST_MYSQL_TARGET"
)


def root_directory() -> Path:
    """Where an unpacked MySQL is looked for."""
    named = os.environ.get("ROWVAULT_TEST_MYSQL_ROOT")
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(caches) / "rowvault" / "mysql-root"


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one MySQL: unpacked below `root`, or installed."""

    root: Path | None

    def command(self, name: str) -> list[str]:
        """How `name` (mysqld, mysql, mysqldump) is run."""
        if self.root is None:
            return [find_program(name) or name]
        program = next(self.root.glob(f"usr/*bin/{name}"))
        (linker,) = self.root.glob("usr/lib*/ld-linux-*.so.*")
        libraries = ":".join(str(path) for path in self.root.glob("usr/lib/*-linux-gnu*"))
        return [str(linker), "--library-path", libraries, str(program)]

    def places(self) -> list[str]:
        """The server's options that say where the rest of it is."""
        if self.root is None:
            return []
        return [
            f"--basedir={self.root / 'usr'}",
            f"--lc-messages-dir={self.root / 'usr/share/mysql'}",
            f"--character-sets-dir={self.root / 'usr/share/mysql/charsets'}",
            f"--plugin-dir={self.root / 'usr/lib/mysql/plugin'}",
        ]


@cache
def find_programs() -> Programs | None:
    """The MySQL to be used; None where there is none. Makes none."""
    root = root_directory().absolute()
    if any(root.glob("usr/sbin/mysqld")):
        return Programs(root)
    installed = find_program("mysqld")
    if installed is None:
        return None
    shown = subprocess.run([installed, "--version"], capture_output=True, text=True, check=False)
    # MariaDB installs a program of this name too.
    is_mysql = shown.returncode == 0 and "MariaDB" not in shown.stdout
    return Programs(None) if is_mysql else None


def make_root() -> None:
    """Unpacks a MySQL where it is looked for. Raises CalledProcessError, with what was said."""
    subprocess.run([MAKE_ROOT], check=True, capture_output=True, text=True)
    find_programs.cache_clear()
