"""Amounts as they are typed: sizes of a part of all packs, speeds, bounds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rowvault.repository.read_subset import ReadSubset

ALL = "100%"
_SHARE = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")
_PER_CENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")
_SIZE = re.compile(r"(\d{1,12})([KMGT])i?B?", re.IGNORECASE)
_UNITS = " KMGT"
_LOAD = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,63})\s*>\s*(\d{1,15}(?:\.\d{1,6})?)")
LEAST_RATE = 64 << 10


def read_subset(value: str | None) -> ReadSubset | bool:
    """False: nothing; True: everything. Raises click.BadParameter."""
    from rowvault.repository.read_subset import PackAmount, PackShare

    if value is None:
        return False
    share, part, size = (one.fullmatch(value) for one in (_SHARE, _PER_CENT, _SIZE))
    if share is not None and int(share[1]) <= int(share[2]):
        return PackShare(int(share[1]), int(share[2]))
    if part is not None and 0 < float(part[1]) <= 100:
        return True if float(part[1]) == 100 else PackAmount(part=float(part[1]) / 100)
    if size is not None and int(size[1]):
        return PackAmount(size_bytes=_bytes(size))
    raise click.BadParameter(
        f"{value!r} is no subset: write it like 1/7 (the first of seven shares), 10% or 5G",
        param_hint="--read-data",
    )


def speed(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """Bytes per second. Raises click.BadParameter."""
    if value is None:
        return None
    size = _SIZE.fullmatch(value.removesuffix("/s"))
    if size is None or not int(size[1]):
        raise click.BadParameter(
            f"{value!r} is no speed: write it like 50M, for 50 MiB of rows a second",
            context,
            option,
        )
    return _bytes(size)


def _bytes(size: re.Match[str]) -> int:
    return int(size[1]) << 10 * _UNITS.index(size[2].upper())


def rate(value: str | None) -> int | None:
    """Bytes a second. Raises click.BadParameter."""
    if value is None:
        return None
    size = _SIZE.fullmatch(value.removesuffix("/s"))
    amount = 0 if size is None else _bytes(size)
    if amount < LEAST_RATE:
        raise click.BadParameter(f"{value!r} is no rate of 64K or more: write it like 500K or 20M")
    return amount


def load_limit(value: str | None) -> tuple[str, float] | None:
    """(status variable, how high it may be). Raises click.BadParameter."""
    if value is None:
        return None
    found = _LOAD.fullmatch(value.strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is no bound: write it like 'Threads_running>40'")
    return found[1], float(found[2])
