"""The check of a whole certificate: each claim against what the arrays prove."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ._cover import prices_up
from ._file import CONDITIONS, Certificate, data_sha256, read
from ._losses import dual_value_down, largest_scale, loss_value
from ._network import objective_up
from ._numbers import FloatArray, Interval, Refused, is_below, round_down, round_up, sum_down
from ._terms import make_terms

__all__ = ["Proved", "Verification", "prove", "relative_gap", "verify"]

_LEAST_SCALE = Fraction(1, 1000)


@dataclass(frozen=True)
class Verification:
    """What a certificate proves.

    Attributes
    ----------
    valid : bool
        Every claim of the file is proved. If False, nothing is, and the numbers are nan.
    objective_upper : float
        The objective (3), (13), (27) or (30) of the network in the file is at most this, in units of the loss.
    lower_bound : float
        No network of any width has a smaller objective.
    gap : float
        At least (objective_upper - lower_bound) / max(objective_upper, L(0, y) / 1000); dimensionless.
    residual : float
        Of a certificate of `interpolate`: the largest abs(f_i - y_i) of the network, or 1 - y_i f_i for margins, is at most
        this; the lower bound is for none. Else 0.
    n_cones : int
        Cones of the cover, halved ones included.
    seconds : float
    reason : str
        What failed; empty for a valid certificate.
    """

    valid: bool
    objective_upper: float = math.nan
    lower_bound: float = math.nan
    gap: float = math.nan
    residual: float = math.nan
    n_cones: int = 0
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Proved:
    """Bounds that follow from the arrays alone; the claims are not looked at."""

    objective: float
    price_bound: float
    lower_bound: float
    gap: float
    residual: float
    n_cones: int


def verify(file: Any, X: Any = None, y: Any = None) -> Verification:
    """Check a certificate from its own arrays, trusting nothing that wrote it.

    Parameters
    ----------
    file : path-like
        What `Solution.save_certificate` wrote.
    X : array_like, shape (n, d), optional
        The data it ought to be about; compared with those in the file, entry by entry as float64. Of a convolutional network
        the patches, shape (n, K, d), as `topes.extract_patches` gives them.
    y : array_like, shape (n,) or (n, C), optional

    Returns
    -------
    Verification
        `valid` is True only if the file is about these data and every one of its claims is proved: nothing that goes
        wrong is an error, it is a `reason`.

    Notes
    -----
    Exact rational arithmetic, or doubles with proved error bounds (docs/certificates.md); none of the solver's code. The
    folder of this module needs numpy only: `python -m verify FILE` beside it does the same without the rest of topes.

    Examples
    --------
    >>> import tempfile, topes
    >>> X, y = [[2, 2], [3, 3], [1, 0]], [1, -1, 1]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     topes.train(X, y, beta=0.1).save_certificate(folder + "/proof.npz")
    ...     found = topes.verify(folder + "/proof.npz", X, y)
    >>> found.valid, round(found.lower_bound, 4), found.gap < 1e-6
    (True, 1.1003, True)
    """
    start = time.perf_counter()
    try:
        with np.errstate(all="ignore"):  # what overflows is refused by its value
            certificate = read(file)
            _compare(certificate, X, y)
            proved = prove(certificate)
            _check_claims(certificate, proved)
    except Refused as refusal:
        return Verification(False, seconds=time.perf_counter() - start, reason=str(refusal))
    seconds = time.perf_counter() - start
    return Verification(True, proved.objective, proved.lower_bound, proved.gap, proved.residual, proved.n_cones, seconds)


def prove(k: Certificate) -> Proved:
    """Everything but the comparison with the claims; `Refused` where the arrays prove nothing."""
    try:
        objective, residual = objective_up(k)
        prices, n_cones = prices_up(k, make_terms(k))
        price = max(prices)
        bound = _lower_bound(k, prices)
        gap = relative_gap(k, objective, bound)
    except (OverflowError, ValueError):  # what Fraction and math make of infinity and nan
        raise Refused("a number exceeds the range of doubles") from None
    if not all(map(math.isfinite, (objective, price, bound, gap, residual))):
        raise Refused("a bound exceeds the range of doubles")
    return Proved(objective, price, bound, gap, residual, n_cones)


def _lower_bound(k: Certificate, prices: list[float]) -> float:
    """Weak duality: that of one problem, or the sum of those of the problems of the outputs, (30)."""
    if not all(map(math.isfinite, prices)):
        raise Refused("the bound on the price exceeds the range of doubles")
    pairs = zip(k.V.T, k.Y.T, strict=True) if k.by_output else [(k.V.ravel(), k.Y.ravel())]
    bounds = [_bound_of(k, v, y, price) for (v, y), price in zip(pairs, prices, strict=True)]
    return bounds[0] if len(bounds) == 1 else max(0.0, sum_down(bounds))


def _bound_of(k: Certificate, v: FloatArray, y: FloatArray, price: float) -> float:
    """(9): -L*(t v) for a t with t m(v) <= beta and t v in the domain of L*; 0, as losses are not negative."""
    t = largest_scale(k.loss, v, y)
    if not np.any(v):
        t = 1.0
    elif math.isinf(t) and price == 0.0:
        raise Refused("a dual point without a price bounds nothing")
    if math.isinf(t) or Fraction(t) * Fraction(price) > Fraction(k.beta):
        t = max(0.0, round_down(Fraction(k.beta) / Fraction(price)))
    return max(0.0, dual_value_down(k.loss, v, y, t))


def relative_gap(k: Certificate, objective: float, bound: float) -> float:
    """No smaller than the difference, relative to the objective or a thousandth of the loss of the empty network.

    Under a condition, to the objective.
    """
    if objective <= bound:
        return 0.0
    if k.loss in CONDITIONS:
        return round_up((Fraction(objective) - Fraction(bound)) / Fraction(objective))
    empty, _ = loss_value(k.loss, Interval.of(np.zeros(k.Y.size)), k.Y.ravel())
    scale = max(Fraction(objective), _LEAST_SCALE * Fraction(max(empty, 0.0)))
    return round_up((Fraction(objective) - Fraction(bound)) / scale)


def _compare(k: Certificate, X: Any, y: Any) -> None:
    try:
        data = k.X if X is None else np.array(X, dtype=np.float64)
        targets = k.Y if y is None else np.array(y, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise Refused(f"the data given are not numbers: {error}") from None
    n, C = k.Y.shape
    allowed = {"X": [k.X.shape, (n, k.patches, k.X.shape[1])], "y": [k.Y.shape, *([(n,)] if C == 1 else [])]}
    for name, given in (("X", data), ("y", targets)):
        if given.shape not in allowed[name]:
            raise Refused(f"the {name} given has shape {given.shape}, that in the file {allowed[name][-1]}")
    if data_sha256(data.reshape(k.X.shape), targets.reshape(k.Y.shape)) != k.data_sha256:
        raise Refused("the data given are not those in the file")


def _check_claims(k: Certificate, proved: Proved) -> None:
    claims = k.claims
    for name in [name for name in claims if name != "lower_bound"]:
        at_least = getattr(proved, name)
        if not is_below(at_least, claims[name]):
            raise Refused(f"the claimed {name} {claims[name]!r} is not proved: the arrays prove {at_least!r}")
    if not is_below(claims["lower_bound"], proved.lower_bound):
        raise Refused(f"the claimed lower_bound {claims['lower_bound']!r} is not proved: {proved.lower_bound!r} is")
