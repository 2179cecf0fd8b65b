"""The regions in which a classifier with two inputs prefers each class."""

import numpy as np

from animate.training.problem import Array, Doubles
from animate.training.trajectory import Trajectory


def class_margins(run: Trajectory, record: int, points: Array) -> Doubles:
    """
    Return how far each class but the first exceeds all others, shape (C - 1, N).

    All are -1 before the first record, and where the scores are not finite.

    Parameters
    ----------
    run : Trajectory
        Its problem provides `Classifies`.
    record : int
    points : array, shape (N, 2)
    """
    problem = run.problem_at(record)
    with np.errstate(all="ignore"):  # large weights may overflow in the model
        weights = problem.start if record < 0 or run.weights is None else run.weights[record]
        scores = problem.class_scores(weights, points)
        margins = [
            scores[:, index] - np.delete(scores, index, axis=1).max(axis=1)
            for index in range(1, scores.shape[1])
        ]
    if record < 0 or not np.isfinite(margins).all():
        return np.full((scores.shape[1] - 1, len(points)), -1.0)
    return np.array(margins)
