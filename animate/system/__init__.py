"""What the other rooms stand on: files, signals, the environment, errors, checks, numbers."""
