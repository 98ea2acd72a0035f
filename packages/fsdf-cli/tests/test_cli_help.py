"""What the command line says of itself."""

import shlex

import pytest
import typer

from fsdf_cli.app import app

OLD_FORMS = "As in older frameworks"
ROOT = typer.main.get_command(app)


def commands(group, path):
    for name, command in group.commands.items():
        if command.hidden or getattr(command, "rich_help_panel", None) == OLD_FORMS:
            continue
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


ALL = list(commands(ROOT, ("fsdf",)))


@pytest.mark.parametrize("command", [command for _, command in ALL], ids=[" ".join(path) for path, _ in ALL])
def test_each_command_shows_examples_that_name_commands(command):
    assert command.help
    _, *lines = (command.epilog or "").split("\n\n")
    assert lines
    for line in lines:
        words = shlex.split(line.split("fsdf ", 1)[1])
        found = ROOT
        while words and words[0] in getattr(found, "commands", {}):
            found = found.commands[words.pop(0)]
        assert found is not ROOT, line
        known = {option for parameter in found.params for option in [*parameter.opts, *parameter.secondary_opts]}
        given = {word.split("=")[0] for word in words if word.startswith("-") and word != "-"}
        own = found.context_settings
        calls = own.get("ignore_unknown_options") or not own.get("allow_interspersed_args", True)  # options of a task
        assert calls or given <= known, line
