"""How the solid angles of the cells are spread."""

from __future__ import annotations

from typing import Any

from ..arrangement import Arrangement
from ..errors import InputError
from ..solid_angle import SolidAngleSummary, solid_angle_summary
from ._canvas import BLUE, VERMILLION, plane_axes, require_matplotlib
from ._texts import legend_above, log_ticks, whole_ticks

__all__ = ["solid_angle_histogram"]


def solid_angle_histogram(A: Arrangement | SolidAngleSummary, *, ax: Any = None, max_cells: int | None = None) -> Any:
    """Draw the number of cells by the logarithm of their solid angle, with the least and the mean angle marked.

    Parameters
    ----------
    A : Arrangement, or SolidAngleSummary
        Central, of any rank; or what `topes.solid_angle_summary` says of it.
    ax : matplotlib Axes, optional
        Default those of a new figure.
    max_cells : int, optional
        As for `topes.solid_angle_summary`.

    Returns
    -------
    matplotlib Axes
        ``ax.patches[0].get_data()`` holds the counts and the ends of the bins.

    Raises
    ------
    InputError
        A is neither, or is affine.
    CellLimitError
        There are more than `max_cells` cells.
    TopesError
        matplotlib is not installed.

    Notes
    -----
    The bins are those of the summary, ten a decade. The mean angle is 1 / P for P cells; theta_min, the least one, says how
    many samples Theorem III.2 asks for.

    Examples
    --------
    >>> from topes import Arrangement
    >>> from topes.plotting import solid_angle_histogram
    >>> ax = solid_angle_histogram(Arrangement([[2, 2], [3, 3], [1, 0]]))
    >>> int(ax.patches[0].get_data().values.sum())
    4
    """
    require_matplotlib()
    if not isinstance(A, (Arrangement, SolidAngleSummary)):
        raise InputError(f"A must be a topes.Arrangement or a topes.SolidAngleSummary, got {type(A).__name__}")
    found = A if isinstance(A, SolidAngleSummary) else solid_angle_summary(A, max_cells=max_cells)
    ax = plane_axes(ax, (6.0, 4.0))
    ax.set_xscale("log")
    ax.stairs(found.histogram, 10.0**found.edges, fill=True, facecolor="#56B4E9", edgecolor=BLUE, linewidth=0.8)
    least, mean = found.least.angle, found.sum / found.n_cells
    if least > 0.0:
        ax.axvline(least, color=VERMILLION, linewidth=1.5, label=rf"$\theta_{{\min}}$ = {least:.3g}")
    ax.axvline(mean, color="black", linestyle="--", linewidth=1.2, label=f"mean, 1 / {found.n_cells:,} = {mean:.3g}")
    ax.set_ylim(0, 1.05 * max(int(found.histogram.max()), 1))
    log_ticks(ax.xaxis, 10.0 ** found.edges[0], 10.0 ** found.edges[-1])
    whole_ticks(ax.yaxis)
    ax.set_xlabel("solid angle (share of all directions)")
    ax.set_ylabel("cells in a tenth of a decade")
    legend_above(ax, 2)
    return ax
