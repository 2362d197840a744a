"""Any cover whatever, not only one that the solver would write, proves a bound that holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from certificates import claim
from problems import BIASES, KAPPAS, NORMS, data
from topes import VectorNetwork, reference
from topes.activation import phi
from topes.certificate import _by_level, _contents, _joined
from topes.verify import _cover
from topes.verify._cover import prices_up
from topes.verify._file import checked
from topes.verify._terms import make_terms


def random_tree(rng, roots, edges, halvings):
    """A level order of trees with some cuts, each along any edge."""
    levels, width = [], roots
    while width:
        split = np.zeros(width, dtype=np.uint8)
        if edges and halvings > 0:
            cut = rng.random(width) < min(0.8, halvings / width)
            split[cut] = rng.integers(1, edges + 1, int(cut.sum()))
        levels.append(split)
        width = 2 * int(np.count_nonzero(split))
        halvings -= width // 2
    return np.concatenate(levels)


def leaf_cones(k, split):
    """Output (None: all) with its sign, and vertices of each leaf, by recursion over the documented order."""
    cones = _cover.fan(_cover._kind(k), len(k.scale))
    searches = [(c, s) for c in range(k.Y.shape[1]) for s in (1.0, -1.0)] if k.by_output else [(None, 1.0)]
    nodes = [(search, cone) for search in searches for cone in cones]
    r = len(k.scale)
    edges = [(i, j) for i in range(r) for j in range(i + 1, r)]
    leaves, at = [], 0
    while at < len(nodes):
        search, cone = nodes[at]
        if split[at]:
            i, j = edges[split[at] - 1]
            for gone in (j, i):
                half = cone.copy()
                half[gone] = 0.5 * (cone[i] + cone[j])
                nodes.append((search, half))
        else:
            leaves.append((search, cone))
        at += 1
    return leaves


MODELS = st.sampled_from([(1, 2), (1, 2), (2, 1), (2, 2), (3, 2)])  # outputs, and how they are measured


@given(data(), KAPPAS, BIASES, NORMS, MODELS, st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_any_cover_proves_a_true_bound(sample, kappa, bias, norm, model, halvings, seed):
    X, y = sample
    outputs, output_norm = model
    rng = np.random.default_rng(seed)
    empty = VectorNetwork(np.zeros((X.shape[1], 0)), None if bias is False else [], np.zeros((0, outputs)), kappa)
    V = rng.standard_normal((len(X), outputs))
    V[:, 1:] += rng.integers(0, 3) * V[:, :1]  # near multiples: then the bound for several outputs is near tight
    options = {"kappa": kappa, "bias": bias, "norm": norm, "output_norm": output_norm}
    solution = claim(X, np.repeat(y[:, None], outputs, axis=1), V, empty, 1e6, **options)
    cover = solution.problem.pricer.cover(solution.dual, floor=1e6)
    if output_norm == 1:
        cover = _joined([solution.problem.pricer.cover(v, floor=1e6) for v in solution.dual.T])
    k = checked(*_contents(solution.problem, empty, solution.dual, _by_level(cover)))
    r = len(k.scale)
    if r == 0 or len(k.normals) == 0:
        return
    searches = 2 * outputs if k.by_output else 1
    split = random_tree(rng, searches * len(_cover.fan(_cover._kind(k), r)), r * (r - 1) // 2, halvings)
    leaves = leaf_cones(k, split)
    assert len(leaves) == np.count_nonzero(split == 0)
    terms = make_terms(k)
    slopes = [
        (leaf, row, rng.random()) for leaf in range(len(leaves)) for row in range(len(k.normals)) if rng.random() < 0.2
    ]
    c = np.zeros((len(leaves) if norm == 2 else 0, r))
    if norm == 2:  # the slope of the function itself somewhere in the leaf: what bounds are near tight with
        for row, ((output, sign), cone) in zip(c, leaves, strict=True):
            w = rng.random(r) @ cone
            maps = terms.b + (terms.a.T * (k.normals @ w > 0.0)) @ k.normals
            value = maps @ w
            row[:] = value @ maps / max(np.linalg.norm(value), 1e-300) if output is None else sign * maps[output]
    k = replace(
        k,
        split=split,
        c=c,
        slope_leaf=np.array([s[0] for s in slopes], dtype=np.uint32),
        slope_row=np.array([s[1] for s in slopes], dtype=np.uint32),
        slope=np.array([s[2] for s in slopes], dtype=np.float64),
    )
    bounds, n_cones = prices_up(k, terms)
    assert n_cones == len(split)
    points = np.concatenate([cone for _, cone in leaves] + [rng.standard_normal((40, r))])
    for u in [*(np.linalg.pinv(k.coordinates) @ points.T).T, *rng.standard_normal((40, X.shape[1] + (bias is not False)))]:
        size = np.linalg.norm(u[:-1] if bias == "free" else u, ord=norm)
        if size > 1e-6 * np.linalg.norm(u):
            rows = X if bias is False else np.hstack([X, np.ones((len(X), 1))])
            h = rows @ u / size
            rounding = 1e-15 * (len(X) + 4) * float(np.abs(k.V).sum(axis=1) @ np.abs(h)) * max(1.0, abs(kappa))
            prices = np.abs(k.V.T @ phi(h, kappa))
            assert np.all((prices if k.by_output else np.linalg.norm(prices)) <= np.array(bounds) + rounding)
    if norm == 2 and bias != "free" and k.by_output:
        for v, bound in zip(k.V.T, bounds, strict=True):
            assert reference.price(X, v, kappa=kappa, bias=bias) <= bound * (1 + 1e-12)
