"""
Problems, hyperparameters, training, trajectories and their diagnoses.

Nothing here draws. torch is imported only to train and to sample data.
"""
