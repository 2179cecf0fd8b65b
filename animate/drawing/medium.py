"""
What a picture is made for: a film, a still on a screen, or a figure on paper.

It bounds the size of text, and decides whether there is a timeline. Points are pixels, since the
dpi of a scene is 72.
"""

import math
from dataclasses import dataclass

AREA_PER_EM2 = 1280 * 720 / 18**2  # area over em², at most: 18 pixels at 1280x720


@dataclass(frozen=True, slots=True)
class Medium:
    """
    The bounds of text, and the parts that only films have.

    Attributes
    ----------
    min_em : float
        The least legible size of text, in pixels.
    max_em : float
        The largest size of the smallest text, whatever the size of the picture.
    max_text : float
        The largest size of any text.
    fixed : bool
        Whether text has these sizes in pictures of all sizes; else it grows with the area.
    is_film : bool
        Whether there is a timeline, and the moment is stated beside the last one.
    has_default_title : bool
    """

    min_em: float
    max_em: float
    max_text: float
    fixed: bool
    is_film: bool
    has_default_title: bool

    def em_limit(self, size: tuple[float, float], share: float = 1.0) -> float:
        """
        Return the largest size of the smallest text in a picture of `size`, (width, height).

        `share` is relative to that of a picture of one moment.

        >>> FILM.em_limit((1280, 720)), PAPER.em_limit((244, 170))
        (18.0, 7.0)
        """
        em = share * math.sqrt(size[0] * size[1] / AREA_PER_EM2)
        return min(max(em, self.min_em) if self.fixed else em, self.max_em)


FILM = Medium(9.0, math.inf, math.inf, fixed=False, is_film=True, has_default_title=True)
STILL = Medium(9.0, math.inf, math.inf, fixed=False, is_film=False, has_default_title=True)
# A figure in a paper has its title in the caption below it.
PAPER = Medium(7.0, 7.5, 9.0, fixed=True, is_film=False, has_default_title=False)
