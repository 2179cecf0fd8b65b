"""The planes of video are held against the standard's formulas and ffmpeg's conversion."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from animate.film.encode.yuv import CELLS_AT_ONCE, I420


def flat(color: tuple[int, int, int], width: int, height: int) -> np.ndarray:
    return np.full((height, width, 4), (*color, 255), np.uint8)


def noise(seed: int, width: int = 62, height: int = 46) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)


def split(planes: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return luma, (height, width), and both colour planes, (2, height / 2, width / 2)."""
    size = width * height
    return (
        planes[:size].reshape(height, width),
        planes[size:].reshape(2, height // 2, width // 2),
    )


@pytest.mark.parametrize(
    ("color", "expected"),
    [  # bars of full colour by the formulas of ITU-R BT.709-6, items 3.2 to 3.4
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
    luma, colors = split(I420(8, 6).convert(flat(color, 8, 6)), 8, 6)
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
    ours = I420(width, height).convert(frame)
    differences = np.abs(ours.astype(int) - np.frombuffer(theirs, np.uint8))
    assert differences.max() <= 1


def test_a_cell_of_colour_is_the_mean_of_its_four_pixels() -> None:
    frame = flat((255, 255, 255), 2, 2)
    frame[0, 0] = (0, 0, 255, 255)
    luma, colors = split(I420(2, 2).convert(frame), 2, 2)
    assert luma.tolist() == [[32, 235], [235, 235]]
    assert colors.ravel().tolist() == [156, 125]  # 128 + 112 / 4, 128 - 10.3 / 4


@pytest.mark.parametrize("row", [-1, -2, 0, 1])
@pytest.mark.parametrize("column", [-1, -2, 0, 1])
def test_the_change_of_a_single_pixel_is_seen(row, column) -> None:
    before, after = noise(1), noise(1)
    after[row, column, 1] ^= 255
    i420 = I420(62, 46)
    i420.convert(before)
    expected = I420(62, 46).convert(after)
    assert not np.array_equal(expected, I420(62, 46).convert(before))
    assert np.array_equal(i420.convert(after), expected)


def test_what_was_shown_before_leaves_no_trace() -> None:
    i420 = I420(62, 46)
    for seed in (1, 2, 2, 1):
        assert np.array_equal(i420.convert(noise(seed)), I420(62, 46).convert(noise(seed)))


def test_a_frame_of_many_cells_is_converted_to_its_end() -> None:
    width, height = 256, 256
    assert width * height // 4 > CELLS_AT_ONCE
    luma, colors = split(
        I420(width, height).convert(flat((255, 0, 0), width, height)), width, height
    )
    assert (luma == 63).all()
    assert (colors[0] == 102).all()
    assert (colors[1] == 240).all()


def test_planes_that_were_given_stay_as_they_are() -> None:
    i420 = I420(62, 46)
    first = i420.convert(noise(1))
    kept = first.copy()
    i420.convert(noise(2))
    assert np.array_equal(first, kept)


def test_an_odd_side_repeats_its_edge() -> None:
    frame = noise(3, 61, 45)
    padded = np.pad(frame, ((0, 1), (0, 1), (0, 0)), mode="edge")
    assert np.array_equal(I420(61, 45).convert(frame), I420(62, 46).convert(padded))


def test_frames_of_any_layout_in_memory_will_do() -> None:
    frame = noise(4)
    turned = np.asfortranarray(frame)
    assert np.array_equal(I420(62, 46).convert(turned), I420(62, 46).convert(frame))
