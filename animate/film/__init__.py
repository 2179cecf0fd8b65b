"""Films: the timeline of a scene, its frames drawn fast, and the files that they are encoded to."""
