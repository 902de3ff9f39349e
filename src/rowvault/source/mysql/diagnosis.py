"""Looks at a server as a backup would, changes nothing, and tells what is to be expected."""

from __future__ import annotations

from rowvault.core.errors import AccessDeniedError
from rowvault.core.omission import texts_of
from rowvault.source.examination import Examination
from rowvault.source.mysql.accounts import grants
from rowvault.source.mysql.accounts.accounts import account_in_use, read_accounts
from rowvault.source.mysql.accounts.rights import Rights, read_rights
from rowvault.source.mysql.consistency import snapshot_plan
from rowvault.source.mysql.consistency.ddl_guard import UNGUARDED
from rowvault.source.mysql.consistency.features import SnapshotFeatures, read_features
from rowvault.source.mysql.consistency.locks import long_statement
from rowvault.source.mysql.consistency.table_locks import without_transactions
from rowvault.source.mysql.schema import table_ids
from rowvault.source.mysql.schema.catalogue import CatalogueReader
from rowvault.source.mysql.schema.table_list import ListedTable, list_selected
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.wire.options import ConnectOptions
from rowvault.source.mysql.wire.server import global_variables, read_server
from rowvault.source.protocol import Selection

_NAMED = 5
"""So many tables are named; of more, the number is told."""
_LATE_S = 60


class Diagnosis:
    """One look over one connection."""

    def __init__(self, control: Connection, options: ConnectOptions, selection: Selection) -> None:
        self._control = control
        self._options = options
        self._selection = selection
        self._problems: list[str] = []
        self._omissions: list[str] = []
        self._warnings: list[str] = []

    def examine(self) -> Examination:
        """Raises UnknownObjectError for what is chosen but not there, LostError."""
        control = self._control
        features, rights = read_features(control), read_rights(control)
        tables = list_selected(control, self._selection)
        can_compare = table_ids.table_ids(control) is not None
        moment = snapshot_plan.plan_snapshot(control, features, rights, tables, can_compare)
        self._read_catalogue()
        self._look_at_tables(rights, tables)
        self._look_at_server(features)
        if moment.definitions == UNGUARDED and tables:
            self._omissions.append("a table that is swapped during the backup would not be noticed")
        return Examination(
            server=read_server(control, self._options),
            moment=moment,
            problems=tuple(self._problems),
            omissions=tuple(self._omissions),
            warnings=tuple(self._warnings),
            grants=self._grants(rights),
        )

    def _read_catalogue(self) -> None:
        reader = CatalogueReader(self._control, self._selection)
        try:
            reader.read()
            if self._selection.users:
                self._omissions += texts_of(read_accounts(self._control).omissions)
        except (faults.LostError, faults.UnknownNameError):
            raise
        except AccessDeniedError as error:
            self._problems.append(str(error))
        self._omissions += texts_of(reader.omissions)
        definitions = [opened.table.definition for opened in reader.tables]
        keyless = [one.label for one in definitions if not one.key]
        if keyless:
            self._warnings.append(
                f"{_listed(keyless)}: without a key; one connection reads it, in the order in "
                "which the server keeps its rows"
            )

    def _look_at_tables(self, rights: Rights, tables: list[ListedTable]) -> None:
        moving = without_transactions(tables)
        labels = _listed([one.label for one in moving])
        if not moving:
            return
        if snapshot_plan.may_lock(rights, moving):
            self._warnings.append(
                f"{labels}: without transactions; nobody can write to them until they are read"
            )
            return
        self._omissions.append(
            f"{labels}: without transactions, and the account may not LOCK TABLES: their rows may "
            "be of another moment than all others, and are named when that cannot be ruled out"
        )

    def _look_at_server(self, features: SnapshotFeatures) -> None:
        if not features.keeps_log:
            self._warnings.append(
                "the server keeps no binary log: nothing can be replayed on top of a snapshot"
            )
        if features.unlogged:
            self._warnings.append(features.unlogged)
        running = long_statement(self._control)
        if running:
            self._warnings.append(f"{running}; a read lock would have to wait for it")
        self._look_at_replication()

    def _look_at_replication(self) -> None:
        for statement in ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS"):
            try:
                reply = self._control.execute(statement, "asking for replication")
            except faults.LostError:
                raise
            except faults.StatementError:
                continue  # not known here, or not for this account
            for row in reply.rows:
                named = dict(zip(reply.columns, row, strict=True))
                behind = named.get("Seconds_Behind_Source", named.get("Seconds_Behind_Master"))
                if behind is None:
                    self._warnings.append("replication is set up but does not run: rows may be old")
                elif int(text(behind)) > _LATE_S:
                    self._warnings.append(f"replication is {text(behind)} s behind: rows are older")
            return

    def _grants(self, rights: Rights) -> dict[str, tuple[str, ...]]:
        known = grants.known_rights(self._control)
        account = account_in_use(self._control)
        settings = global_variables(self._control, ("log_bin", "log_bin_trust_function_creators"))
        return {
            "backup": grants.joined(
                grants.lacking(grants.BACKUP, rights, known, self._selection, account),
                grants.lacking_for_routines(rights, known, account)
                if self._selection.databases or self._selection.tables
                else (),
            ),
            "users": grants.joined(grants.lacking_for_users(rights, account)),
            "restore": grants.joined(
                grants.lacking(grants.RESTORE, rights, known, self._selection, account),
                grants.lacking_for_functions(rights, settings, account),
            ),
        }


def _listed(labels: list[str]) -> str:
    if len(labels) <= _NAMED:
        return ", ".join(labels)
    return f"{', '.join(labels[:_NAMED])} and {len(labels) - _NAMED} more tables"
