"""A scene in time: its timeline, its frames drawn fast, and the files that they are encoded to."""
