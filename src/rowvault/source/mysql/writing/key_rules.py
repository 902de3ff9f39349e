"""Rules of a server about keys and engines: which tables of a restore they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rowvault.core.model import TableDefinition
from rowvault.sqltext.mysql.create_table import CreateTable, Element, ElementKind

GROUP_MEMBER = "group_replication_member"
"""Not a variable: ON where the server takes part in group replication."""

SESSION_RULES = (
    "enforce_storage_engine",
    "sql_generate_invisible_primary_key",
    "sql_require_primary_key",
)
"""As the session has them: a restore sets some of them for itself where the account may."""
GLOBAL_RULES = (
    "disabled_storage_engines",
    "group_replication_enforce_update_everywhere_checks",
    "innodb_force_primary_key",
    "pxc_strict_mode",
    "wsrep_certify_nonpk",
    "wsrep_mode",
    "wsrep_on",
)
_NAMED = 5
_CASCADING = re.compile(rb"\bON (?:DELETE|UPDATE) (?:CASCADE|SET NULL|SET DEFAULT)\b")
_STRICT_CLUSTER = ("ENFORCING", "MASTER")

_Refuses = Callable[[TableDefinition], bool]


def refusals(settings: Mapping[str, str], tables: Sequence[TableDefinition]) -> Iterator[str]:
    """One message for each rule with the tables that it refuses, and what to do about it."""
    for rule, refuses, advice in _rules(settings):
        labels = [one.label for one in tables if refuses(one)]
        if labels:
            yield f"{rule}: {_listed(labels)}. {advice}"


def _rules(settings: Mapping[str, str]) -> Iterator[tuple[str, _Refuses, str]]:
    choose = "choose other tables with -t"
    primary = "Grant the account SESSION_VARIABLES_ADMIN, with which a restore lifts the rule for"
    if _is_on(settings, "sql_require_primary_key"):
        yield (
            "sql_require_primary_key is ON and these tables have no primary key",
            _lacks_primary,
            f"{primary} itself, SET GLOBAL sql_require_primary_key = OFF, or {choose}",
        )
    elif _is_on(settings, "sql_generate_invisible_primary_key"):
        yield (
            "sql_generate_invisible_primary_key is ON and would give these tables a column more",
            lambda table: _lacks_primary(table) and _is_innodb(table),
            f"{primary} itself, or SET GLOBAL sql_generate_invisible_primary_key = OFF",
        )
    if _is_on(settings, "innodb_force_primary_key"):
        yield (
            "innodb_force_primary_key is ON and these tables have no unique key without NULLs",
            lambda table: _lacks_key(table) and _is_innodb(table),
            f"SET GLOBAL innodb_force_primary_key = OFF, or {choose}",
        )
    disabled = {name.strip().upper() for name in _value(settings, "disabled_storage_engines")}
    if disabled - {""}:
        yield (
            f"disabled_storage_engines has {', '.join(sorted(disabled))}, which these tables need",
            lambda table: table.engine.upper() in disabled,
            f"Start the target without them in disabled_storage_engines, or {choose}",
        )
    enforced = settings.get("enforce_storage_engine", "").upper()
    if enforced not in ("", "NULL"):
        yield (
            f"enforce_storage_engine is {enforced}, and these tables are of another engine",
            lambda table: table.engine.upper() not in ("", enforced),
            f"SET GLOBAL enforce_storage_engine = NULL, or {choose}",
        )
    yield from _rules_of_group(settings)
    if _is_on(settings, "wsrep_on"):
        yield from _rules_of_galera(settings)


def _rules_of_group(settings: Mapping[str, str]) -> Iterator[tuple[str, _Refuses, str]]:
    if not _is_on(settings, GROUP_MEMBER):
        return
    choose = "Restore to a server outside of the group, or choose other tables with -t"
    yield (
        "the target takes part in group replication, and these tables have no unique key without "
        "NULLs",
        _lacks_key,
        choose,
    )
    yield (
        "the target takes part in group replication, and these tables are not of InnoDB",
        lambda table: not _is_innodb(table),
        choose,
    )
    if _is_on(settings, "group_replication_enforce_update_everywhere_checks"):
        yield (
            "the target's group writes on all members, and these tables have cascading foreign "
            "keys",
            lambda table: any(
                _CASCADING.search(element.text)
                for element in _elements(table)
                if element.kind is ElementKind.FOREIGN_KEY
            ),
            choose,
        )


def _rules_of_galera(settings: Mapping[str, str]) -> Iterator[tuple[str, _Refuses, str]]:
    modes = {mode.strip().upper() for mode in _value(settings, "wsrep_mode")}
    is_strict = settings.get("pxc_strict_mode", "").upper() in _STRICT_CLUSTER
    if is_strict or "REQUIRED_PRIMARY_KEY" in modes or settings.get("wsrep_certify_nonpk") == "OFF":
        yield (
            "the target's cluster wants primary keys (wsrep_certify_nonPK, wsrep_mode, "
            "pxc_strict_mode), and these tables have none",
            _lacks_primary,
            "Lift that rule on the target, or choose other tables with -t",
        )
    replicated = {"INNODB"} | {
        engine for engine in ("MYISAM", "ARIA") if f"REPLICATE_{engine}" in modes
    }
    yield (
        "the target's cluster does not carry the rows of these tables to its other nodes, for they "
        "are not of InnoDB",
        lambda table: table.engine.upper() not in replicated,
        "Restore to a server outside of the cluster, or choose other tables with -t",
    )


def _elements(table: TableDefinition) -> Iterable[Element]:
    parsed = CreateTable.parse(table.statement)
    return parsed.elements if parsed else ()


def _lacks_primary(table: TableDefinition) -> bool:
    return not any(one.kind is ElementKind.PRIMARY_KEY for one in _elements(table))


def _lacks_key(table: TableDefinition) -> bool:
    return _lacks_primary(table) and not table.key


def _is_innodb(table: TableDefinition) -> bool:
    return table.engine.upper() == "INNODB"


def _is_on(settings: Mapping[str, str], name: str) -> bool:
    return settings.get(name, "").upper() in ("ON", "1")


def _value(settings: Mapping[str, str], name: str) -> list[str]:
    return settings.get(name, "").split(",")


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - _NAMED
    return ", ".join(labels[:_NAMED]) + (f" and {more} more" if more > 0 else "")
