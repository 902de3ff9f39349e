"""The `rowvault` command: all verbs under one group."""

from __future__ import annotations

import click

from rowvault import __version__
from rowvault.cli.command import HELP_NAMES, Root
from rowvault.cli.settings import global_options
from rowvault.cli.verbs.backup import backup
from rowvault.cli.verbs.check import check
from rowvault.cli.verbs.demo import demo
from rowvault.cli.verbs.diff import diff
from rowvault.cli.verbs.doctor import doctor
from rowvault.cli.verbs.dump import dump
from rowvault.cli.verbs.forget import forget
from rowvault.cli.verbs.init import init
from rowvault.cli.verbs.key import key
from rowvault.cli.verbs.ls import ls
from rowvault.cli.verbs.mount import mount, umount
from rowvault.cli.verbs.prune import prune
from rowvault.cli.verbs.repair import repair
from rowvault.cli.verbs.restore import restore
from rowvault.cli.verbs.sessions import sessions
from rowvault.cli.verbs.show import show
from rowvault.cli.verbs.snapshots import snapshots
from rowvault.cli.verbs.stats import stats
from rowvault.cli.verbs.tag import tag
from rowvault.cli.verbs.undelete import undelete
from rowvault.cli.verbs.verify import verify
from rowvault.cli.verbs.version import version

_EPILOG = """\
First steps:
  rowvault demo                                    the whole tour, no server needed
  export ROWVAULT_REPOSITORY=/srv/vault
  rowvault init                                    make a repository
  rowvault backup mysql://backup@db.example.org/   take a snapshot
  rowvault restore latest mysql://root@other/      bring it back, verified

Every command has its own help with examples and exit codes: rowvault COMMAND --help.
The global options may also stand after the command.

Shell completion:
  bash  eval "$(_ROWVAULT_COMPLETE=bash_source rowvault)"
  zsh   eval "$(_ROWVAULT_COMPLETE=zsh_source rowvault)"
  fish  _ROWVAULT_COMPLETE=fish_source rowvault | source
"""


@click.group(
    "rowvault",
    cls=Root,
    params=list[click.Parameter](global_options()),
    context_settings={"help_option_names": HELP_NAMES, "max_content_width": 100},
    epilog=_EPILOG,
)
@click.version_option(__version__, message="rowvault %(version)s")
def app() -> None:
    """Keep every snapshot of a MySQL or MariaDB server at the cost of what changed."""


for _verb in (
    init, doctor, backup, snapshots, show, ls, dump, mount, umount, restore, verify, diff, check,
    repair, stats, forget, undelete, prune, tag, sessions, key, version, demo,
):  # fmt: skip
    app.add_command(_verb)
