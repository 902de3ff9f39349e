"""Writes docs/reference/cli.md from the real commands: `make docs`."""

from __future__ import annotations

import inspect
import shlex

import click

from rowvault.cli.app import app
from rowvault.cli.command import Command, all_commands
from rowvault.cli.output.exit_codes import MEANINGS

_HEAD = """\
# Command line

<!-- Written by `make docs` from the commands themselves; a test compares. Do not edit. -->

`rowvault COMMAND --help` says the same. [Exit codes](exit-codes.md) and the documents of `--json`
([JSON](json.md)) have pages of their own, and so do the [words](glossary.md).
"""


def reference() -> str:
    """The whole page."""
    root = click.Context(app, info_name="rowvault")
    sections = [_HEAD, _global_section(root)]
    for words, command in all_commands(app):
        sections.append(_command_section(words, command, root))
    return "\n".join(sections)


def _global_section(root: click.Context) -> str:
    lines = ["## Options of every command\n", "They stand before or after the command's name.\n"]
    lines += _options(root, app.params)
    return "\n".join(lines) + "\n"


def _command_section(words: str, command: Command, root: click.Context) -> str:
    context = click.Context(command, info_name=words, parent=root)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {words}\n", f"```\nrowvault {words} {usage}\n```\n"]
    lines.append(_text(command) + "\n")
    options = _options(context, command.own_parameters)
    if options:
        lines += [*options, ""]
    lines += ["Examples:\n", "```sh", *command.examples, "```\n"]
    lines += ["Exit codes:", ""]
    lines += [f"- {int(code)}: {MEANINGS[code]}" for code in command.exit_codes]
    return "\n".join(lines) + "\n"


def _text(command: click.Command) -> str:
    """The help text, each paragraph on one line."""
    assert command.help is not None
    paragraphs = inspect.cleandoc(command.help).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _options(context: click.Context, parameters: object) -> list[str]:
    assert isinstance(parameters, list | tuple)
    records = [
        parameter.get_help_record(context)
        for parameter in parameters
        if isinstance(parameter, click.Option)
    ]
    return [f"- `{names}`: {text}" for names, text in filter(None, records)]


def _check_examples() -> None:
    """Every example is a command line that can be split into words."""
    for _, command in all_commands(app):
        for example in command.examples:
            shlex.split(example)


if __name__ == "__main__":
    _check_examples()
    print(reference(), end="")
