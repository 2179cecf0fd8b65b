"""
Problems, hyperparameters, trajectories and their diagnoses.

Nothing here draws. Torch is loaded by `descent`, `recorder`, `checkpoints` and `model_loss`, and by
sampling a line.
"""
