"""
Register `Writer` with matplotlib, under the name "animate".

After ``import animate.writer``, ``animation.save("film.mp4", writer="animate")`` uses it, and with
``rcParams["animation.writer"] = "animate"`` so does every `save` that names no writer.
"""

from matplotlib.animation import writers

from animate.film.movie_writer import Writer

__all__ = ["Writer"]

writers.register("animate")(Writer)
