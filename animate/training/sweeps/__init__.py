"""
How a sweep trains: its runs in tiles, each trained as one batch, by an executor.

`plan` cuts the grid into tiles, `line`, `one_hidden_layer` and `vmapped` train one, and `engines`
has executors train many. `animate.training.sweep` is the public entry.
"""
