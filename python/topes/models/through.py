"""From a conic solver's point to a network that takes the values asked for, as nearly as doubles allow."""

from __future__ import annotations

import math

import numpy as np

from .._support.validation import FloatArray
from ..activation import kappa_of
from ..network import Bias, TwoLayerNetwork, reach_of
from ..pricing.oracle import Pricer
from ..training.faces import Face

__all__ = ["network_through"]

_EPS = float(np.finfo(np.float64).eps)
# Sines of the angle between a neuron and a hyperplane below which it lies on it: what a conic solver leaves of zero.
_ON = 1e-7
_STEPS = 5
# The smaller network is taken where it costs no more than this share, and its residual is no more than this share of y.
_WORTH, _THROUGH = 1e-8, 1e-11


def network_through(
    pricer: Pricer, faces: list[Face], coordinates: list[FloatArray], y: FloatArray, *, margin: bool
) -> tuple[TwoLayerNetwork, float]:
    """The network of a solution of (24): merged, at most n neurons where that costs nothing, and moved onto f = y.

    Parameters
    ----------
    pricer : Pricer
    faces, coordinates
        As in `topes.master`, the constant of a free bias last.
    y : ndarray, shape (n,), float64
    margin : bool
        y_i f_i >= 1 in place of f = y; the network is then scaled until that holds, roundings included.

    Returns
    -------
    network : TwoLayerNetwork
    residual : float
        Largest |f - y|, or largest 1 - y f if positive.
    """
    d = pricer.data.shape[1]
    columns = [(face.basis @ q, face.sign) for face, q in zip(faces, coordinates, strict=False) if np.any(q)]
    if pricer.bias == "free" and len(coordinates) > len(faces) and coordinates[-1][0] != 0.0:
        constant = np.zeros(d)
        constant[-1] = abs(coordinates[-1][0])
        columns.append((constant, 1 if coordinates[-1][0] > 0.0 else -1))
    split = [np.array([u for u, sign in columns if sign == s]).reshape(-1, d).T for s in (1, -1)]
    data = pricer.data if pricer.bias is False else pricer.data[:, :-1]
    found = []
    for reduce_on in (data, None):
        network = TwoLayerNetwork.from_convex(
            *split, activation=pricer.kappa, bias=pricer.bias, norm=pricer.norm, X=reduce_on
        )
        network = _scaled(network, data, y) if margin else _moved(network, pricer, data, y)
        off = 1.0 - y * network.predict(data) if margin else np.abs(network.predict(data) - y)
        residual = max(0.0, float(off.max(initial=0.0)))
        found.append((network, residual, network.penalty(bias=pricer.bias or "penalized", norm=pricer.norm)))
    small, plain = found
    enough = _THROUGH * float(np.abs(y).max(initial=0.0))
    good = small[1] <= max(enough, plain[1]) and small[2] <= plain[2] * (1.0 + _WORTH)
    network, residual, _ = small if good else plain
    return network, residual


def _scaled(network: TwoLayerNetwork, X: FloatArray, y: FloatArray) -> TwoLayerNetwork:
    """The network times the least factor, not below 1, with which all y_i f_i >= 1, whatever the roundings."""
    sizes = np.abs(X) @ np.abs(network.W1) + (0.0 if network.b1 is None else np.abs(network.b1))
    most = max(1.0, abs(kappa_of(network.activation)))
    rounding = 2.0 * _EPS * (X.shape[1] + network.n_neurons + 8) * most * (sizes @ np.abs(network.w2))
    least = float((y * network.predict(X) - rounding).min(initial=math.inf))
    if not 0.5 < least < 1.0:
        return network
    root = math.sqrt(1.0 / least) * (1.0 + 4.0 * _EPS)
    b1 = None if network.b1 is None else network.b1 * root
    return TwoLayerNetwork(network.W1 * root, b1, network.w2 * root, network.activation)


def _moved(network: TwoLayerNetwork, pricer: Pricer, X: FloatArray, y: FloatArray) -> TwoLayerNetwork:
    """Gauss-Newton steps to f = y: each neuron moves within the hyperplanes it lies on, as little as may be for its size."""
    if network.n_neurons == 0:
        return network
    U = network.W1 if network.b1 is None else np.vstack([network.W1, network.b1])
    U, signs = U * np.abs(network.w2), np.where(network.w2 < 0.0, -1.0, 1.0)
    flats = [_flat(pricer, u) for u in U.T]
    U = np.stack([N @ (N.T @ u) for N, u in zip(flats, U.T, strict=True)], axis=1)
    best, least = network, float(np.abs(network.predict(X) - y).max(initial=0.0))
    for _ in range(_STEPS):
        H = pricer.data @ U
        D = np.where(H >= 0.0, 1.0, pricer.kappa) * signs
        off = y - np.sum(D * H, axis=1)
        sizes = np.linalg.norm(U, axis=0)
        J = np.hstack([D[:, [j]] * (pricer.data @ (N * sizes[j])) for j, N in enumerate(flats)])
        step = np.linalg.lstsq(J, off, rcond=1e-13)[0]
        at = 0
        for j, N in enumerate(flats):
            U[:, j] += N @ (step[at : at + N.shape[1]] * sizes[j])
            at += N.shape[1]
        each = TwoLayerNetwork._from_columns(U, signs, pricer.kappa, pricer.bias, pricer.norm, reach_of(X, pricer.bias))
        residual = float(np.abs(each.predict(X) - y).max(initial=0.0))
        if residual >= least:
            break
        best, least = each, residual
    return best


def _flat(pricer: Pricer, u: FloatArray) -> FloatArray:
    """Orthonormal basis of the hyperplanes' intersection that holds u; for the constant of a free bias, of the constants."""
    bias: Bias = pricer.bias
    if bias == "free" and not np.any(u[:-1]):
        return np.eye(len(u))[:, -1:]
    on = pricer.reference[np.abs(pricer.reference @ u) <= _ON * float(np.linalg.norm(u))]
    if len(on) == 0:
        return np.eye(len(u))
    _, s, right = np.linalg.svd(on, full_matrices=True)
    rank = min(int(np.sum(s > _ON * s[0])), len(u) - 1)
    return np.asarray(right[rank:].T)
