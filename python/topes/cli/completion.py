"""`topes completion`: what a shell needs to complete the command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands, options and file names.

    \b
    Examples:
      topes completion bash > topes.bash
      topes completion zsh > _topes
      topes completion fish > topes.fish

    \b
    Then, in ~/.bashrc:                   source /where/it/is/topes.bash
    in ~/.zshrc, after compinit:          source /where/it/is/_topes
    of fish, as a file in its folder:     ~/.config/fish/completions/topes.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "topes", "_TOPES_COMPLETE").source())
