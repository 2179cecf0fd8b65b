"""
What is trained, how, and what came of it: problems, hyperparameters, trajectories, diagnoses.

Nothing here draws. Only `descent` needs torch to be loaded, and only when it trains or samples.
"""
