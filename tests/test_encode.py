"""Films are read back by other programs than the one that wrote them: ffmpeg's decoder, Pillow."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from animate import InputError, OutputError
from animate.film.encode import FORMATS, encode, is_video, note

SUFFIXES = [suffix for suffix in FORMATS if suffix != "/"]
DELAYED = [".gif", ".webp", ".apng"]
BACKGROUND = (250, 240, 230, 255)


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Return a frame in which a dark square has moved `number` pixels."""
    frame = np.full((height, width, 4), BACKGROUND, np.uint8)
    frame[10:30, 2 + number : 22 + number, :3] = (40, 40, 40)
    return frame


def film(*counts: int, width: int = 64, height: int = 48) -> Iterator[np.ndarray]:
    """Yield picture 0 `counts[0]` times as the same object, then picture 1, and so on."""
    for number, count in enumerate(counts):
        frame = picture(number, width, height)
        yield from [frame] * count


def decoded(path: Path) -> tuple[dict, np.ndarray, str]:
    """Return what ffmpeg says of the film at `path`, its frames as RGB, and its warnings."""
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    asked = subprocess.run([ffmpeg, "-hide_banner", "-i", path], capture_output=True, check=False)
    (stream,) = re.findall(r"Video: (.*)", asked.stderr.decode())
    width, height = map(int, re.search(r", (\d+)x(\d+)", stream).groups())
    meta = {
        "stream": stream,
        "size": (width, height),
        "fps": float(re.search(r"([\d.]+) fps", stream).group(1)),
    }
    command = [ffmpeg, "-v", "warning", "-i", path, "-vf", "scale=in_color_matrix=bt709"]
    command += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)
    return meta, frames, done.stderr.decode()


def shown(path: Path) -> np.ndarray:
    """Return the pictures of the file at `path` as RGBA: by ffmpeg, or as Pillow reads them."""
    if is_video(path):
        _, frames, _ = decoded(path)
        return np.pad(frames, ((0, 0), (0, 0), (0, 0), (0, 1)), constant_values=255)
    with Image.open(path) as image:
        return np.stack(
            [np.array(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]
        )


def test_mp4_is_h264_in_420_at_the_rate_asked_and_decodes_without_a_warning(tmp_path) -> None:
    path = tmp_path / "film.mp4"
    encode(film(5, 1, 1, 10), path, fps=25)
    meta, frames, warnings = decoded(path)
    assert meta["stream"].startswith("h264 (Main)")  # which every player takes
    assert "yuv420p(tv, bt709, " in meta["stream"]  # matrix, primaries and transfer
    assert meta["fps"] == 25
    assert len(frames) == 17
    assert warnings == ""


def test_a_player_finds_a_whole_picture_every_four_seconds(tmp_path) -> None:
    path = tmp_path / "film.mp4"
    encode(film(*[1] * 60), path, fps=5)
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    command = [ffmpeg, "-skip_frame", "nokey", "-i", path, "-fps_mode", "passthrough"]
    command += ["-vf", "showinfo", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, check=True).stderr.decode()
    assert [float(time) for time in re.findall(r"pts_time:([\d.]+)", said)] == [0, 4, 8]


def test_mp4_shows_the_frames_that_were_sent(tmp_path) -> None:
    path = tmp_path / "film.mp4"
    encode(film(2, 2, 2), path, fps=25)
    _, frames, _ = decoded(path)
    for number, frame in enumerate(frames[::2]):
        sent = picture(number)[..., :3].astype(int)
        inside = slice(14, 26), slice(6 + number, 18 + number)
        assert np.abs(frame[inside] - sent[inside]).max() <= 8
        assert np.abs(frame[34:] - sent[34:]).max() <= 8


@pytest.mark.quick(3)
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("counts", [(4, 1), (1, 3, 1), (6, 1), (1, 1), (4, 2), (2, 1, 1)])
def test_every_frame_stands_as_long_as_it_was_sent(tmp_path, suffix, counts) -> None:
    path = tmp_path / f"film{suffix}"
    encode(film(*counts), path, fps=25)
    _, frames, _ = decoded(path)
    squares = [np.flatnonzero(frame[20, :, 0] < 140)[0] - 2 for frame in frames]
    assert squares == list(np.repeat(np.arange(len(counts)), counts))


def test_mp4_has_its_index_first_so_that_it_plays_while_it_loads(tmp_path) -> None:
    path = tmp_path / "film.mp4"
    encode(film(5), path, fps=25)
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_mp4_keeps_colours(tmp_path) -> None:
    path = tmp_path / "film.mp4"
    flat = np.full((48, 64, 4), (20, 90, 200, 255), np.uint8)
    encode([flat] * 3, path, fps=25)
    _, frames, _ = decoded(path)
    np.testing.assert_allclose(frames.mean(axis=(0, 1, 2)), (20, 90, 200), atol=3)


def test_odd_sides_are_padded_with_the_background_and_never_scaled(tmp_path) -> None:
    path = tmp_path / "film.mp4"
    encode(film(3, 3, width=61, height=47), path, fps=25)
    meta, frames, _ = decoded(path)
    assert meta["size"] == (62, 48)
    np.testing.assert_allclose(frames[:, -1], np.broadcast_to(BACKGROUND[:3], (6, 62, 3)), atol=4)
    assert np.abs(frames[0, 14:26, 6:18] - picture(0)[14:26, 6:18, :3].astype(int)).max() <= 8


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_frames_give_the_same_bytes(tmp_path, suffix) -> None:
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    for path in (one, other):
        encode(film(3, 1, 2), path, fps=25)
    assert one.read_bytes() == other.read_bytes()


def test_webm_is_vp9_at_the_rate_asked_with_its_index_first(tmp_path) -> None:
    path = tmp_path / "film.webm"
    encode(film(5, 1, 1, 10, width=61, height=47), path, fps=25)
    meta, frames, warnings = decoded(path)
    assert meta["stream"].startswith("vp9")
    assert (meta["size"], meta["fps"], len(frames), warnings) == ((61, 47), 25, 17, "")
    assert np.abs(frames[0, 14:26, 6:18] - picture(0)[14:26, 6:18, :3].astype(int)).max() <= 8
    data = path.read_bytes()
    cues, cluster = bytes.fromhex("1c53bb6b"), bytes.fromhex("1f43b675")
    assert data.rindex(cues) < data.index(cluster)


def durations(path: Path) -> list[int]:
    with Image.open(path) as image:
        found = []
        for frame in ImageSequence.Iterator(image):
            frame.load()  # which is when Pillow learns a WebP's
            found.append(frame.info["duration"])
        return found


@pytest.mark.parametrize("suffix", DELAYED)
def test_a_repeated_frame_is_stored_once_and_for_as_long_as_it_stands(tmp_path, suffix) -> None:
    path = tmp_path / f"film{suffix}"
    encode(film(5, 1, 1, 50), path, fps=25)
    assert durations(path) == [200, 40, 40, 2000]


@pytest.mark.parametrize("suffix", DELAYED)
def test_a_frame_that_looks_like_the_one_before_repeats_it(tmp_path, suffix) -> None:
    path = tmp_path / f"film{suffix}"
    encode([picture(0), picture(0), picture(3), picture(3)], path, fps=10)
    assert durations(path) == [200, 200]


@pytest.mark.parametrize("fps", [10, 24, 30, 50, 29.97])
def test_gif_delays_do_not_drift(tmp_path, fps) -> None:
    path = tmp_path / "film.gif"
    encode(film(*[1] * 30), path, fps=fps)
    starts = np.cumsum([0, *durations(path)])
    np.testing.assert_allclose(starts, 1000 * np.arange(31) / fps, atol=5.001)


def test_a_gif_above_100_frames_a_second_leaves_out_what_is_shown_for_less_than_a_tick(
    tmp_path,
) -> None:
    path = tmp_path / "film.gif"
    encode(film(*[1] * 30), path, fps=120)
    assert durations(path) == [10] * 25
    assert np.flatnonzero(shown(path)[-1][20, :, 0] < 140)[0] - 2 == 29


@pytest.mark.parametrize("counts", [(1, 700), (700, 1)])
def test_a_delay_longer_than_a_gif_can_store_is_its_longest(tmp_path, counts) -> None:
    path = tmp_path / "film.gif"
    encode(film(*counts), path, fps=1)
    assert max(durations(path)) == 655_350


@pytest.mark.parametrize("quality", ["low", "medium", "high"])
@pytest.mark.parametrize("suffix", DELAYED)
def test_delayed_formats_show_the_frames_that_were_sent(tmp_path, suffix, quality) -> None:
    path = tmp_path / f"film{suffix}"
    encode(film(1, 1, 1), path, fps=25, quality=quality)
    expected = [picture(number) for number in range(3)]
    assert np.abs(shown(path).astype(int) - expected).mean() < 0.5


@pytest.mark.parametrize("quality", ["low", "medium", "high"])
@pytest.mark.parametrize("suffix", DELAYED)
def test_what_is_transparent_stays_so(tmp_path, suffix, quality) -> None:
    path = tmp_path / f"film{suffix}"
    frames = [picture(number) for number in range(4)]
    for frame in frames:
        frame[frame[..., 0] == BACKGROUND[0]] = 0
    encode(frames, path, fps=25, quality=quality)
    pictures = shown(path)
    np.testing.assert_array_equal(pictures[..., 3], [frame[..., 3] for frame in frames])
    covered = pictures[..., 3] > 0
    np.testing.assert_allclose(pictures[covered], np.stack(frames)[covered], atol=4)


@pytest.mark.parametrize("suffix", [".apng", ".webp"])
def test_high_quality_is_exact_where_the_format_can_be(tmp_path, suffix) -> None:
    path = tmp_path / f"film{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (3, 48, 64, 4), np.uint8)
    noise[..., 3] = 255
    encode(noise, path, fps=25, quality="high")
    np.testing.assert_array_equal(shown(path), noise)


@pytest.mark.quick(1)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_quality_is_a_larger_file_and_nearer_to_the_frames(tmp_path, suffix) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)
    noise[..., 3] = 255
    frames = [np.roll(noise, 5 * number, axis=1) for number in range(4)]
    sizes, errors = [], []
    for quality in ("low", "high"):
        path = tmp_path / f"{quality}{suffix}"
        encode(frames, path, fps=25, quality=quality)
        sizes.append(path.stat().st_size)
        errors.append(np.abs(shown(path).astype(int) - frames).mean())
    assert sizes[0] < sizes[1]
    assert errors[0] > errors[1]


def test_a_folder_gets_a_picture_for_every_frame_and_gives_way_to_a_new_one(tmp_path) -> None:
    folder = f"{tmp_path}/100%d frames/"
    encode(film(2, 2, 3), folder, fps=25)
    encode(film(2, 1), folder, fps=25)
    written = sorted(Path(folder).iterdir())
    assert [file.name for file in written] == [f"frame-0000{n}.png" for n in range(3)]
    for file, number in zip(written, (0, 0, 1), strict=True):
        np.testing.assert_array_equal(Image.open(file).convert("RGBA"), picture(number))
    assert [path.name for path in tmp_path.iterdir()] == ["100%d frames"]


def test_a_folder_that_holds_anything_else_is_left_alone(tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds thesis\.txt"):
        encode(film(1), f"{tmp_path}/", fps=25)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_failure_in_the_middle_keeps_the_old_folder(tmp_path) -> None:
    folder = f"{tmp_path}/frames/"
    encode(film(1), folder, fps=25)

    def broken() -> Iterator[np.ndarray]:
        yield from film(3, 20)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        encode(broken(), folder, fps=25)
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]
    assert [path.name for path in Path(folder).iterdir()] == ["frame-00000.png"]


def test_gif_has_one_global_palette(tmp_path) -> None:
    path = tmp_path / "film.gif"
    encode(film(1, 1, 1), path, fps=25)
    data = path.read_bytes()
    assert data[10] & 0x80
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            assert all(not tile[3][1] for tile in image.tile if isinstance(tile[3][1], bytes))


@pytest.mark.parametrize("suffix", [".webp", ".apng"])
@pytest.mark.parametrize("plays", [0, 1, 3])
def test_webp_and_apng_play_as_often_as_asked(tmp_path, suffix, plays) -> None:
    path = tmp_path / f"film{suffix}"
    encode(film(1, 1), path, fps=25, loop=plays)
    with Image.open(path) as image:
        assert image.info["loop"] == plays


@pytest.mark.parametrize(("plays", "stored"), [(0, 0), (1, None), (2, 1), (5, 4)])
def test_gif_plays_as_often_as_asked(tmp_path, plays, stored) -> None:
    path = tmp_path / "film.gif"
    encode(film(1, 1), path, fps=25, loop=plays)
    with Image.open(path) as image:
        assert image.info.get("loop") == stored


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_film_of_one_frame_is_a_film(tmp_path, suffix) -> None:
    path = tmp_path / f"film{suffix}"
    encode(film(1), path, fps=25)
    assert shown(path).shape == (1, 48, 64, 4)


def test_an_extension_in_upper_case_will_do(tmp_path) -> None:
    encode(film(1), tmp_path / "FILM.GIF", fps=25)
    with Image.open(tmp_path / "FILM.GIF") as image:
        assert image.format == "GIF"


@pytest.mark.parametrize("name", ["film", "film.avi", ".mp4x"])
def test_an_unknown_extension_is_refused_with_the_list_of_known_ones(tmp_path, name) -> None:
    with pytest.raises(InputError, match=r"\.mp4, \.webm, \.gif"):
        encode(film(1), tmp_path / name, fps=25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.quick(6)
@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
@pytest.mark.parametrize(
    "name", ["a b", "100%d", "it's", 'say "hi"', "a:b", "-x", "$HOME", "línea", "[x]*?", "a\nb"]
)
def test_a_file_is_written_to_exactly_the_name_given(tmp_path, name, suffix) -> None:
    encode(film(1), tmp_path / f"{name}{suffix}", fps=25)
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failure_in_the_middle_keeps_the_old_file_and_leaves_nothing(tmp_path, suffix) -> None:
    path = tmp_path / f"film{suffix}"
    path.write_bytes(b"yesterday's film")

    def broken() -> Iterator[np.ndarray]:
        yield from film(20, 20)
        raise RuntimeError("the third picture cannot be drawn")

    with pytest.raises(RuntimeError, match="third picture"):
        encode(broken(), path, fps=25)
    assert path.read_bytes() == b"yesterday's film"
    assert list(tmp_path.iterdir()) == [path]


def test_what_ffmpeg_says_when_it_fails_is_passed_on(tmp_path, monkeypatch) -> None:
    fake = tmp_path / "ffmpeg"
    fake.write_text("#!/bin/sh\necho the encoder is missing >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(fake))
    with pytest.raises(OutputError, match=r"exit code 3.*the encoder is missing"):
        encode(film(200), tmp_path / "film.mp4", fps=25)
    assert [path.name for path in tmp_path.iterdir()] == ["ffmpeg"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_film_without_its_last_frames_is_an_error(tmp_path, monkeypatch, suffix) -> None:
    real = imageio_ffmpeg.get_ffmpeg_exe()
    fake = tmp_path / "ffmpeg"
    fake.write_text(f'#!/bin/sh\nhead -c -50000 | "{real}" "$@" || true\n')
    fake.chmod(0o755)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(fake))
    with pytest.raises(OutputError, match=r"ffmpeg wrote \d+ of 30 frames"):
        encode(film(*[1] * 30), tmp_path / f"film{suffix}", fps=25)
    assert list(tmp_path.iterdir()) == [fake]


def test_a_film_that_ffmpeg_cuts_short_is_an_error(tmp_path, monkeypatch) -> None:
    real = imageio_ffmpeg.get_ffmpeg_exe()
    fake = tmp_path / "ffmpeg"
    fake.write_text(f'#!/bin/sh\nhead -c 8000 | "{real}" "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(fake))
    with pytest.raises(OutputError, match="ffmpeg"):
        encode(film(10), tmp_path / "film.mp4", fps=25)
    assert not (tmp_path / "film.mp4").exists()


def test_frames_of_other_shapes_or_types_are_refused(tmp_path) -> None:
    for bad in (picture(0)[..., :3], picture(0).astype(float), picture(0, 32, 32)):
        with pytest.raises(InputError, match="a frame has shape"):
            encode([picture(0), bad], tmp_path / "film.mp4", fps=25)


def test_no_frame_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="no frame"):
        encode([], tmp_path / "film.mp4", fps=25)


@pytest.mark.parametrize("quality", ["low", "medium", "high"])
@pytest.mark.parametrize("suffix", [".webp", ".apng"])
def test_half_transparent_pixels_are_kept(tmp_path, suffix, quality) -> None:
    frames = []
    for number in range(3):
        frame = np.zeros((32, 40, 4), np.uint8)
        frame[8:24] = (200, 90, 0, 255)
        frame[4 + number : 8, :, :] = (0, 114, 178, 60)
        frames.append(frame)
    path = tmp_path / f"a{suffix}"
    encode(frames, path, fps=10, quality=quality)
    with Image.open(path) as image:
        for frame, shown in zip(frames, ImageSequence.Iterator(image), strict=True):
            opacity = np.array(shown.convert("RGBA"))[..., 3]
            np.testing.assert_array_equal(opacity, frame[..., 3])


def test_a_transparent_gif_says_what_it_loses_and_what_fits() -> None:
    said = note("a.gif", (640, 360), 25, transparent=True)
    assert said is not None
    assert ".webp and .apng keep them" in said
    assert note("a.gif", (640, 360), 25) is None
    assert note("a.webp", (640, 360), 25, transparent=True) is None
