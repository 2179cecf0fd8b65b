import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from animate.drawing.tabular_text import TabularText
from animate.drawing.theme import load_theme


def ink(kind: type[Text], text: str, **style: object) -> np.ndarray:
    """Return how dark each pixel is of `text` set at 18 pixels, from 0 to 1."""
    figure = Figure((8, 0.5), dpi=72)
    figure.add_artist(
        kind(0.5, 0.5, text, transform=figure.transFigure, fontsize=18, **style)  # type: ignore[arg-type]
    )
    canvas = FigureCanvasAgg(figure)
    with load_theme("light").applied():
        canvas.draw()
    return 1 - np.asarray(canvas.buffer_rgba())[..., 0] / 255


@pytest.mark.parametrize("align", ["left", "center", "right"])
@pytest.mark.parametrize("text", ["loss 0.0678", "y = −2.98 x + 2.49", "✓ converged at epoch 70"])
def test_a_readout_looks_like_matplotlibs_own_text(text, align) -> None:
    theirs = ink(Text, text, horizontalalignment=align)
    ours = ink(TabularText, text, horizontalalignment=align)
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.03)
    for axis in (0, 1):
        for there, here in zip(ends(theirs, axis), ends(ours, axis), strict=True):
            assert abs(there - here) <= 2


def ends(picture: np.ndarray, axis: int) -> tuple[int, int]:
    found = np.flatnonzero(picture.max(axis=axis) > 0.2)
    return int(found[0]), int(found[-1])


def test_digits_that_change_move_nothing_else() -> None:
    one, other = (
        ink(TabularText, "loss 1.11 at epoch 70"),
        ink(TabularText, "loss 8.08 at epoch 70"),
    )
    differs = np.flatnonzero((one != other).any(axis=0))
    start, end = ends(one, 0)
    assert differs[-1] - differs[0] < 4 * 18 * 0.65
    assert start < differs[0]
    assert differs[-1] < start + (end - start) / 2


def test_a_readout_keeps_to_its_colour_and_its_clip() -> None:
    figure = Figure((8, 0.5), dpi=72)
    text = TabularText(0.1, 0.3, "loss 88", transform=figure.transFigure, color="#0072b2", size=24)
    figure.add_artist(text)
    canvas = FigureCanvasAgg(figure)
    text.set(clip_on=True, clip_box=Bbox([[0, 0], [89, 36]]))
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    assert (picture[:, 90:] == 255).all()
    darkest = picture[:, :90].reshape(-1, 3)[picture[:, :90].sum(axis=2).argmin()]
    np.testing.assert_allclose(darkest, (0x00, 0x72, 0xB2), atol=2)


def test_a_backend_of_vectors_writes_a_readout_as_text() -> None:
    figure = Figure((4, 0.5))
    figure.add_artist(TabularText(0.1, 0.3, "loss 88", transform=figure.transFigure))
    file = io.StringIO()
    figure.savefig(file, format="svg")
    assert "<!-- loss 88 -->" in file.getvalue()
