"""Values that are larger than the target takes, found before anything on it is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rowvault.codec.rows import decode_row
from rowvault.core.errors import RestoreError
from rowvault.render.table import read_group, row_groups
from rowvault.repository import Repository, TableRecord
from rowvault.restore.verify.row_problems import key_text
from rowvault.source.protocol import Target

_NAMED = 5


def check_values(repository: Repository, records: Sequence[TableRecord], target: Target) -> None:
    """Raises RestoreError naming tables, keys, columns and sizes of values that cannot be loaded.

    Only rows that are larger than the limit are read. Raises DamageError.
    """
    found: list[str] = []
    limit = None
    for record in records:
        limit = target.value_limit(record.definition)
        if limit is None or record.root.sums.raw_bytes <= limit.bytes:
            continue
        found += _too_large(repository, record, limit.bytes)
        if len(found) >= _NAMED:
            break
    if found and limit is not None:
        raise RestoreError(
            "these values are larger than the target takes, and nothing was changed:\n"
            + "\n".join(found[:_NAMED])
            + f"\n{limit.advice}"
        )


def _too_large(repository: Repository, record: TableRecord, limit_bytes: int) -> Iterator[str]:
    definition = record.definition
    for group in row_groups(repository.tree(record.root).entries()):
        if len(group) == 1 or sum(entry.raw_bytes for entry in group) <= limit_bytes:
            continue
        rows = read_group(repository, group, len(definition.columns)).rows
        values, _ = decode_row(rows, 0, len(definition.columns))
        for column, value in zip(definition.columns, values, strict=True):
            if value is not None and len(value) > limit_bytes:
                where = f" {key_text(definition, group[0].first_key)}" if definition.key else ""
                yield (
                    f"{definition.label}{where}: column {column.name} holds {len(value)} bytes, "
                    f"the target takes {limit_bytes}"
                )
