"""The `rowvault` command: all verbs under one group."""

from __future__ import annotations

import click

from rowvault import __version__
from rowvault.cli.command import HELP_NAMES, RootGroup
from rowvault.cli.settings import global_options

_VERBS = (
    "init", "doctor", "backup", "snapshots", "show", "ls", "dump", "mount", "umount", "restore",
    "verify", "diff", "check", "repair", "upgrade", "stats", "forget", "undelete", "prune", "tag",
    "sessions", "key", "version", "demo",
)  # fmt: skip
_MODULES = {verb: f"rowvault.cli.verbs.{verb}" for verb in _VERBS} | {
    "umount": "rowvault.cli.verbs.mount"
}

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
    cls=RootGroup,
    modules=_MODULES,
    params=list[click.Parameter](global_options()),
    context_settings={"help_option_names": HELP_NAMES, "max_content_width": 100},
    epilog=_EPILOG,
)
@click.version_option(__version__, message="rowvault %(version)s")
def app() -> None:
    """Keep every snapshot of a MySQL or MariaDB server at the cost of what changed."""
