"""What `--json` prints: the keys of each command's object, always all of them, null where one does not apply."""

from __future__ import annotations

__all__ = ["COMMON", "KEYS"]

COMMON = {
    "command": "name of the command",
    "version": "of topes",
    "met": "true: exit code 0; false: exit code 1, a gap or claim was not met",
    "file": "the data, as given; null without",
    "seconds": "of the work, reading the file not counted",
}

_ARRANGEMENT = {
    "n": "rows",
    "dimension": "columns",
    "rank": "of the rows",
    "distinct_hyperplanes": "zero rows and parallel ones merged",
    "most_cells": "bound (6)",
}
_SOLUTION = {
    "objective": "of the network, eq. (3)",
    "lower_bound": "no network has less",
    "gap": "between the two, relative",
}

KEYS: dict[str, dict[str, str]] = {
    "count": {
        **_ARRANGEMENT,
        "cells": "their number, exact; null with --estimate",
        "exact_fallbacks": "signs that needed exact arithmetic",
        "estimated_cells": "with --estimate",
        "standard_error": "of the estimate",
    },
    "cells": {**_ARRANGEMENT, "cells": "their number, exact", "output": "file written", "bytes": "its size"},
    "report": {
        "n": "rows",
        "d": "columns, that of a bias counted",
        "rank": "of the rows",
        "n_hyperplanes": "distinct ones",
        "n_zero_rows": "rows that are zero",
        "n_cells": "their number; an estimate unless counted",
        "counted": "whether it is exact",
        "standard_error": "of the estimate",
        "bound": "bound (6)",
        "power_bound": "its second form",
        "theta_min": "the least solid angle",
        "theta_error": "of it",
        "eps": "probability to miss a cell",
        "samples": "Theorem III.2",
        "samples_at_least": "the same if all cells were of one size",
        "samples_per_second": "measured",
        "enumeration_seconds": "to go through the cells",
        "full_program_variables": "2 d P of program (7)",
        "pricing_seconds": "to price a dual point over all cells",
        "pricing_extrapolated": "true: foreseen, not measured",
    },
    "train": {
        "n": "samples",
        "dimension": "inputs",
        "outputs": "targets",
        "loss": "its name",
        "beta": "weight of the regulariser",
        "bias": "none, penalized or free",
        "method": "working-set or full",
        "program_cells": "cells of the last program",
        "status": "certified if the gap is as small as asked",
        **_SOLUTION,
        "neurons": "of the network",
        "output": "the network's file",
        "certificate": "the proof's file",
        "plot": "the picture's file",
    },
    "certify": {
        "network": "file of the network",
        **_SOLUTION,
        "best_known_objective": "of the network found on the way",
        "bound_status": "certified if the bound is as sharp as asked",
    },
    "stationarity": {
        "network": "file of the network",
        "kind": "of point",
        "objective": "of the network, eq. (3)",
        "balanced_objective": "with each neuron at its least penalty",
        "residual": "distance from stationarity",
        "subdifferential": "which one was decided on",
        "descent": "steepest; null where not decided",
        "sign_vectors": "of the network's own program",
        "zeros": "rows on a kink",
        "program_value": "optimum of the program of its patterns",
        "program_gap": "of that, relative",
        "lower_bound": "no network has less; null with --no-compare",
        "gap": "to it, relative",
    },
    "path": {
        "n": "samples",
        "outputs": "targets",
        "loss": "its name",
        "path": "a list, beta falling: beta, objective, lower_bound, gap, neurons, status, seconds",
    },
    "verify": {
        "certificate": "file of the proof",
        "valid": "whether every claim is proved",
        "objective_upper": "bound on the network's objective",
        "lower_bound": "no network has less",
        "gap": "between the two, relative",
        "residual": "of the constraints, for losses with some",
        "cones": "walked",
        "reason": "of a refusal",
    },
    "plot": {
        "kind": "of picture",
        "output": "its file",
        "n": "rows",
        "rank": "of the rows",
        "cells": "their number, exact",
        "least_angle": "of angles",
        "network": "of fit and neurons",
        "neurons": "of the network",
        "betas": "of path",
        "greatest_gap": "of path",
    },
}
