"""
Problems, hyperparameters, training, trajectories and their diagnoses.

Nothing here draws. torch is imported only to train, to record a model and to sample data.
"""
