"""Options that the commands about training share."""

from __future__ import annotations

import click

from ..losses import loss_names

__all__ = ["activation_of", "activation_option", "bias_option", "loss_option", "output_norm_option", "tolerance_option"]

bias_option = click.option(
    "--bias",
    is_flag=False,
    flag_value="penalized",
    default=None,
    type=click.Choice(["penalized", "free"]),
    help="Of the neurons: in the penalty (also without a word after --bias) or free of it; default none.",
)
loss_option = click.option("--loss", type=click.Choice(loss_names()), default="squared", show_default=True)
activation_option = click.option(
    "--activation", default="relu", show_default=True, help="relu, abs, or the slope kappa < 1 below zero."
)
tolerance_option = click.option("--tol", type=float, default=1e-6, show_default=True, help="Relative gap to certify.")
output_norm_option = click.option(
    "--output-norm",
    type=click.Choice(["2", "1"]),
    default="2",
    show_default=True,
    help="Of several outputs' weights: 2 is weight decay (27), 1 makes a problem of each output (30).",
)


def activation_of(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
