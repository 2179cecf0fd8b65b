"""The planes of video are held against the standard's own figures and ffmpeg's conversion."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from animate.encode.yuv import Planes


def flat(color: tuple[int, int, int], width: int, height: int) -> np.ndarray:
    return np.full((height, width, 4), (*color, 255), np.uint8)


def noise(seed: int, width: int = 62, height: int = 46) -> np.ndarray:
    """Return large blots of colour, each other than its neighbours."""
    blots = np.random.default_rng(seed).integers(0, 256, (height // 4 + 1, width // 4 + 1, 4))
    return blots.astype(np.uint8).repeat(4, 0).repeat(4, 1)[:height, :width]


def split(planes: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return luma, (height, width), and both colour planes, (2, height / 2, width / 2)."""
    size = width * height
    return (
        planes[:size].reshape(height, width),
        planes[size:].reshape(2, height // 2, width // 2),
    )


@pytest.mark.parametrize(
    ("color", "expected"),
    [  # the bars of full colour in ITU-R BT.709, 8 bits
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 0), (219, 16, 138)),
        ((0, 255, 255), (188, 154, 16)),
        ((0, 255, 0), (173, 42, 26)),
        ((255, 0, 255), (78, 214, 230)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_full_colours_are_those_of_the_standard(color, expected) -> None:
    luma, colors = split(Planes(8, 6).of(flat(color, 8, 6)), 8, 6)
    assert (luma == expected[0]).all()
    assert (colors[0] == expected[1]).all()
    assert (colors[1] == expected[2]).all()


def test_ffmpeg_converts_alike() -> None:
    frame = noise(1)
    height, width = frame.shape[:2]
    theirs = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error",
            "-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{width}x{height}", "-i", "pipe:0",
            "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+area",
            "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1",
        ],
        input=frame.tobytes(), capture_output=True, check=True,
    ).stdout  # fmt: skip
    ours = Planes(width, height).of(frame)
    differences = np.abs(ours.astype(int) - np.frombuffer(theirs, np.uint8))
    assert differences.max() <= 1


def test_a_cell_of_colour_is_the_mean_of_its_four_pixels() -> None:
    frame = flat((255, 255, 255), 2, 2)
    frame[0, 0] = (0, 0, 255, 255)
    luma, colors = split(Planes(2, 2).of(frame), 2, 2)
    assert luma.tolist() == [[32, 235], [235, 235]]
    assert colors.ravel().tolist() == [156, 125]  # 128 + 112 / 4, 128 - 10.3 / 4


@pytest.mark.parametrize("change", ["all", "a pixel", "opacity alone", "nothing"])
def test_what_was_shown_before_leaves_no_trace(change) -> None:
    before = noise(1)
    after = noise(2) if change == "all" else before.copy()
    if change == "a pixel":
        after[-1, -1, 2] ^= 1
    if change == "opacity alone":
        after[3, 5, 3] ^= 255
    planes = Planes(62, 46)
    for frame in (before, after, before, after):
        assert np.array_equal(planes.of(frame), Planes(62, 46).of(frame))


def test_planes_that_were_given_stay_as_they_are() -> None:
    planes = Planes(62, 46)
    first = planes.of(noise(1))
    kept = first.copy()
    planes.of(noise(2))
    assert np.array_equal(first, kept)


def test_an_odd_side_repeats_its_edge() -> None:
    frame = noise(3, 61, 45)
    padded = np.pad(frame, ((0, 1), (0, 1), (0, 0)), mode="edge")
    assert np.array_equal(Planes(61, 45).of(frame), Planes(62, 46).of(padded))


def test_frames_of_any_layout_in_memory_will_do() -> None:
    frame = noise(4)
    turned = np.asfortranarray(frame)
    assert np.array_equal(Planes(62, 46).of(turned), Planes(62, 46).of(frame))
