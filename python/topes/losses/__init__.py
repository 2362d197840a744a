"""The losses L(f, y), each with what a certificate needs: conjugate, gradient, dual domain, cvxpy expression.

All are sums over the n samples, not means. The conjugate is in f with y fixed,

    L*(v) = max_z  z'v - L(z, y),

so at an optimum v is the gradient of L at f, and the dual of the training problem is max -L*(v) over the feasible v,
eq. (9). Every loss here is convex and non-negative, so 0 lies in the domain of L* and L*(0) <= 0: scaling a dual
point towards 0 keeps it in the domain.

========== ============================================== ============================== ============================
name       L(f, y)                                        L*(v)                          domain of L*
========== ============================================== ============================== ============================
squared    0.5 * ||f - y||_2^2                            0.5 * ||v||^2 + v'y            everything
l2         ||f - y||_2                                    v'y                            ||v||_2 <= 1
absolute   ||f - y||_1                                    v'y                            \\|v_i\\| <= 1
huber      sum h(f_i - y_i), h(t) = t^2/2 for             0.5 * ||v||^2 + v'y            \\|v_i\\| <= 1
           \\|t\\| <= 1, \\|t\\| - 1/2 beyond
logistic   sum log(1 + exp(-y_i f_i))                     sum p log p + (1-p) log(1-p)   0 <= p_i = -y_i v_i <= 1
hinge      sum max(0, 1 - y_i f_i)                        -sum p_i                       0 <= p_i = -y_i v_i <= 1
squared_   sum max(0, 1 - y_i f_i)^2                      sum p_i^2 / 4 - p_i            0 <= p_i = -y_i v_i
hinge
========== ============================================== ============================== ============================

The last three take labels -1 and +1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InputError
from .base import Loss, is_own
from .classification import HingeLoss, LogisticLoss, SquaredHingeLoss
from .regression import AbsoluteLoss, HuberLoss, L2Loss, SquaredLoss

__all__ = ["LOSSES", "Loss", "get_loss", "is_own", "loss_names"]

LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        SquaredLoss(),
        L2Loss(),
        AbsoluteLoss(),
        HuberLoss(),
        LogisticLoss(),
        HingeLoss(),
        SquaredHingeLoss(),
    )
}
"""Every loss by its name."""

_TAKEN = ("interpolation", "margin", "half_huber", "cross_entropy")  # of losses that are not to be had by name


def loss_names() -> tuple[str, ...]:
    """Names of the losses, in the order of the table above.

    Examples
    --------
    >>> from topes.losses import loss_names
    >>> loss_names()[:4]
    ('squared', 'l2', 'absolute', 'huber')
    """
    return tuple(LOSSES)


def get_loss(name: str | Loss) -> Loss:
    """Look up a loss by its name; a `Loss` is returned as it is.

    Raises
    ------
    InputError
        No loss has this name; the message lists the accepted ones. Or a loss of one's own has the name of another.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.losses import get_loss
    >>> loss = get_loss("squared")
    >>> f, y = np.array([1.0, 2.0]), np.array([0.0, 0.0])
    >>> v = loss.gradient(f, y)
    >>> loss.value(f, y) + loss.conjugate(v, y) == float(v @ f)  # Fenchel-Young, an equality at v = gradient
    True
    """
    if isinstance(name, Loss):
        own = getattr(name, "name", None)
        if is_own(name) and (not isinstance(own, str) or own in (*LOSSES, *_TAKEN)):
            raise InputError(f"loss must have a name of its own, got {type(name).__qualname__} with the name {own!r}")
        return name
    return LOSSES[loss_choice(name, loss_names())]


def loss_choice(name: Any, accepted: Sequence[str]) -> str:
    """Return `name` when it is one of these, otherwise list them, and say that there are losses of one's own."""
    if isinstance(name, str) and name in accepted:
        return name
    names = ", ".join(repr(each) for each in accepted)
    raise InputError(f"loss must be one of {names}, or an instance of a class derived from topes.losses.Loss; got {name!r}")
