"""How near a film's pictures come to the frames that were drawn, by what other programs decode."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from matplotlib.colors import hsv_to_rgb
from PIL import Image, ImageDraw, ImageSequence

from animate import Animation
from animate.drawing.views import View
from animate.film.encode import encode

BT709 = np.array([0.2126, 0.7152, 0.0722])


def drawing(number: int) -> np.ndarray:
    """Return a frame of what films are made of: thin smooth lines, and text, on a plain ground."""
    image = Image.new("RGBA", (3 * 320, 3 * 180), (251, 250, 247, 255))
    draw = ImageDraw.Draw(image)
    for line in range(8):
        x = np.linspace(0, 960, 200)
        y = 270 + (200 - 20 * line) * np.sin(x / 90 + line + number / 3)
        color = tuple((255 * hsv_to_rgb([line / 8, 0.8, 0.6])).astype(int))
        draw.line(list(zip(x, y, strict=True)), fill=color, width=5)
    draw.text((60, 40), f"epoch {number}", fill="black", font_size=60)
    return np.array(image.resize((320, 180), Image.Resampling.LANCZOS))


def luma(path: Path) -> np.ndarray:
    """Return the luma of a video's pictures, from 0 to 255, as ffmpeg decodes it."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-vf"]
    command += ["extractplanes=y", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    planes = np.frombuffer(done.stdout, np.uint8).reshape(-1, 180, 320)
    return (planes - 16.0) * 255 / 219


def psnr(shown: np.ndarray, drawn: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in decibels."""
    return float(10 * np.log10(255**2 / np.mean((shown - drawn) ** 2)))


@pytest.mark.parametrize(("quality", "least"), [("low", 31.5), ("medium", 38.3), ("high", 43)])
def test_a_videos_luma_is_as_near_to_the_frames_as_its_quality_says(tmp_path, quality, least):
    frames = [drawing(number) for number in range(10)]
    encode(frames, tmp_path / "a.mp4", 25, quality=quality)
    shown = luma(tmp_path / "a.mp4")
    assert len(shown) == len(frames)
    drawn = [frame[..., :3] @ BT709 for frame in frames]
    assert min(psnr(one, other) for one, other in zip(shown, drawn, strict=True)) > least


class Band(View):
    """A band that has a colour of its own in each epoch."""

    caption = "a band"
    across = True

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self.band = self.moves(panel.axes.axhspan(0, 1, lw=0))
        panel.axes.set(xlim=(0, 1), ylim=(0, 1))

    def draw(self, epoch: int) -> None:
        self.band.set_facecolor(hsv_to_rgb([epoch / 8, 1, 0.8]))


def test_a_gifs_palette_has_the_colours_of_the_whole_film(runs, tmp_path) -> None:
    film = Animation(runs, [Band], (640, 360), timeline=range(8), title="")
    film.save(tmp_path / "a.gif", fps=10)
    with Image.open(tmp_path / "a.gif") as image:
        shown = [np.array(frame.convert("RGB"), int) for frame in ImageSequence.Iterator(image)]
    for one, drawn in zip(shown, film.frames(), strict=True):
        assert np.abs(one[180, 320] - drawn[180, 320, :3]).max() <= 8
