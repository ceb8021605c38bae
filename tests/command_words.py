"""Whether a command that a document names exists: `kairos rules publish DIR --policy FILE`."""

from typing import Any

import typer

from console.cli import app

__all__ = ["unknown_word"]


def unknown_word(words: list[str]) -> str | None:
    """Give the first word of a command line that the program does not know, or None.

    What stands behind an option or in the place of an argument may be anything.
    """
    # Typer brings a click of its own, so kinds are told apart by what they have.
    command: Any = typer.main.get_command(app)
    for number, word in enumerate(words):
        if hasattr(command, "commands") and not word.startswith("-"):
            if word not in command.commands:
                return word
            command = command.commands[word]
        elif word.startswith("-"):
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            if word.partition("=")[0] not in {*known, "--help"}:
                return word
        elif number and not words[number - 1].startswith("-") and not _takes_arguments(command):
            return word
    return None


def _takes_arguments(command: Any) -> bool:
    return any(parameter.param_type_name == "argument" for parameter in command.params)
