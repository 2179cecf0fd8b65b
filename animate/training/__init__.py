"""
Problems, hyperparameters, trajectories and their diagnoses.

Nothing here draws. Only `descent` needs torch to be loaded, and only when it trains or samples.
"""
