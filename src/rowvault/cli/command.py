"""Commands whose help teaches: a text, options, examples, exit codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from rowvault.cli.output.exit_codes import MEANINGS, ExitCode
from rowvault.cli.settings import Settings, global_options
from rowvault.core.errors import UsageError

HELP_NAMES = ["-h", "--help"]

_READING_CODES = (
    ExitCode.DONE,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.NO_REPOSITORY,
    ExitCode.WRONG_PASSWORD,
    ExitCode.DAMAGE,
)


class OperatingSystemFailure(Exception):
    """Carries an OSError past click, which takes every EPIPE for a closed standard output."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class Command(click.Command):
    """A command with the global options, examples and its exit codes."""

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        exit_codes: Sequence[ExitCode] = _READING_CODES,
        **settings: Any,
    ) -> None:
        settings.setdefault("context_settings", {"help_option_names": HELP_NAMES})
        super().__init__(*args, **settings)
        self.examples = tuple(examples)
        self.exit_codes = tuple(exit_codes)
        self.own_parameters = tuple(self.params)
        self.params.extend(global_options())

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command's function; see OperatingSystemFailure for the wrapping."""
        settings = ctx.ensure_object(Settings)
        settings.check()
        from rowvault.cli.output import logs, zone

        # Else it would fail where the first time is shown, perhaps behind what was done already.
        zone.configured_zone(settings)

        logs.configure(settings.verbosity)
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise OperatingSystemFailure(error) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first, the global ones apart."""
        own: list[tuple[str, str]] = []
        everywhere: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            # Arguments are told of in the text; not every version of click leaves them out here.
            record = parameter.get_help_record(ctx)
            if record is None or isinstance(parameter, click.Argument):
                continue
            (own if parameter in self.own_parameters else everywhere).append(record)
        for title, records in (("Options", own), ("Options of every command", everywhere)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples as they would be typed, then the exit codes."""
        if self.examples:
            with formatter.section("Examples"):
                formatter.write(
                    "".join(f"{' ' * formatter.current_indent}{line}\n" for line in self.examples)
                )
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), MEANINGS[code]) for code in self.exit_codes])


class RootGroup(click.Group):
    """The group of all commands, listed in the order of a working day.

    Each is loaded when it is asked for: a run needs one, and loading all takes a tenth of the time
    of a short one.
    """

    def __init__(self, *args: Any, modules: Mapping[str, str], **settings: Any) -> None:
        """`modules`: command -> the module that has it under its name."""
        super().__init__(*args, **settings)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Command names in the order in which the modules were given."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded; None where there is none of that name.

        Then all are loaded, of which click suggests one that is spelled like it.
        """
        wanted = [cmd_name] if cmd_name in self._modules else self._modules
        for name in wanted:
            if name not in self.commands:
                self.add_command(getattr(import_module(self._modules[name]), name))
        return super().get_command(ctx, cmd_name)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """First steps, and where the rest of the help is."""
        if self.epilog:
            formatter.write_paragraph()
            formatter.write(self.epilog)


class Family(click.Group):
    """Commands of one kind under one word: `key list`, `key add`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        settings.setdefault("context_settings", {"help_option_names": HELP_NAMES})
        super().__init__(*args, **settings)
        self.params.extend(global_options())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Command names in the order in which they were added."""
        return list(self.commands)


def all_commands(root: click.Group, words: str = "") -> Iterator[tuple[str, Command]]:
    """(`word` or `word word`, command) of all commands, in the order of the help."""
    context = click.Context(root)
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{words}{name} ")
        else:
            assert isinstance(command, Command)
            yield f"{words}{name}", command


def usage_error(message: str) -> UsageError:
    """A usage error with a pointer to the command's help."""
    context = click.get_current_context(silent=True)
    where = context.command_path if context else "rowvault"
    return UsageError(f"{message}\nTry '{where} --help'.")
