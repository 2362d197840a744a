"""How many cells there can be: eq. (6), both forms, as exact integers of any size."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext

from ._support.limits import check_count
from .errors import InputError

__all__ = ["cell_bound", "cell_bound_power"]


def cell_bound(n_hyperplanes: int, rank: int) -> int:
    """Most cells that distinct central hyperplanes of one rank can have, reached in general position; eq. (6), [Cover65]_.

    Parameters
    ----------
    n_hyperplanes : int
        Number of distinct hyperplanes: of nonzero rows, parallel ones counted once.
    rank : int
        Rank r of the rows, at most `n_hyperplanes`; 0 for no hyperplane.

    Returns
    -------
    int
        2 * sum of C(n - 1, k) over k < r; 1 for no hyperplane.

    Raises
    ------
    InputError
        There is no such arrangement.

    References
    ----------
    .. [Cover65] T. M. Cover. Geometrical and statistical properties of systems of linear inequalities with applications
       in pattern recognition. IEEE Trans. Electronic Computers 14 (1965).

    Examples
    --------
    >>> from topes import cell_bound
    >>> cell_bound(100, 3), cell_bound(2, 2), cell_bound(0, 0)
    (9902, 4, 1)
    """
    n, r = _checked(n_hyperplanes, rank)
    total, term = 0, 1
    for k in range(r):
        total += term
        term = term * (n - 1 - k) // (k + 1)
    return 2 * total if n else 1


def cell_bound_power(n_hyperplanes: int, rank: int) -> int:
    """The second form of (6), 2 r (e (n - 1) / r)^r, rounded up to an integer.

    Parameters
    ----------
    n_hyperplanes, rank : int
        As for `cell_bound`, at least 1.

    Returns
    -------
    int
        At least `cell_bound(n_hyperplanes, rank)`, but for n = r = 1, where the paper's inequality fails: it gives 0, and
        there are 2 cells.

    Raises
    ------
    InputError
        There is no such arrangement, or no hyperplane.

    Examples
    --------
    >>> from topes import cell_bound_power
    >>> cell_bound_power(100, 3), cell_bound_power(1, 1)
    (4330884, 0)
    """
    check_count(rank, "rank", 1)
    n, r = _checked(n_hyperplanes, rank)
    if n == 1:
        return 0
    above, below = 2 * r * int((n - 1) ** r), int(r**r)
    digits = 30 + max(0, above.bit_length() - below.bit_length()) // 3
    while True:  # e^r is no rational number, so enough digits tell the integer above
        with localcontext() as context:
            context.prec, context.Emax, context.Emin = digits + r // 2 + 5, MAX_EMAX, MIN_EMIN
            scaled = int(Decimal(r).exp().scaleb(digits))  # e^r 10^digits, rounded: within 1 of it
        low, high = (-(-above * (scaled + error) // (below * int(10**digits))) for error in (-1, 1))
        if low == high:
            return high
        digits *= 2


def _checked(n_hyperplanes: int, rank: int) -> tuple[int, int]:
    check_count(n_hyperplanes, "n_hyperplanes", 0)
    check_count(rank, "rank", 0)
    n, r = int(n_hyperplanes), int(rank)
    if not min(n, 1) <= r <= n:
        raise InputError(f"rank must be from {min(n, 1)} to the number of hyperplanes, {n}, got {r}")
    return n, r
