"""A report can be loaded, verified, and made again."""

import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from animate import Animation, InputError, load, train
from animate.recipe.file_difference import difference

MADE = ["--epochs", "12", "--hold", "0", "--size", "640x360", "--quiet"]


@pytest.fixture
def made(run, tmp_path) -> Path:
    """Return the path of a report of a film, a still and a document."""
    done = run(
        *MADE, "--lrs", "0.7", "5", "-o", "a.gif", "-o", "b.png", "-o", "c.svg", "-o", "run.json"
    )
    assert (done.code, done.out) == (0, "a.gif\nb.png\nc.svg\nrun.json\n")
    return tmp_path / "run.json"


def test_the_report_lists_every_other_file_with_its_checksum(made) -> None:
    contents = json.loads(made.read_text())
    assert [output["path"] for output in contents["outputs"]] == ["a.gif", "b.png", "c.svg"]
    for output in contents["outputs"]:
        data = (made.parent / output["path"]).read_bytes()
        assert output["sha256"] == hashlib.sha256(data).hexdigest()
        assert output["bytes"] == len(data)
    assert contents["settings"]["lrs"] == [0.7, 5.0]
    assert contents["versions"]["torch"] == importlib.metadata.version("torch")


def test_the_same_recipe_gives_the_same_report(made, run) -> None:
    first = made.read_bytes()
    run(*MADE, "--lrs", "0.7", "5", "-o", "a.gif", "-o", "b.png", "-o", "c.svg", "-o", "run.json")
    assert made.read_bytes() == first


def test_runs_are_read_back_to_the_last_bit(made, problem) -> None:
    again = load(made)
    for run, trained in zip(again, train(problem, [0.7, 5], epochs=12), strict=True):
        assert run.lr == trained.lr
        assert run.weights.dtype == np.float32
        np.testing.assert_array_equal(run.weights, trained.weights)
        np.testing.assert_array_equal(run.losses, trained.losses)
        assert run.diagnosis == trained.diagnosis
    np.testing.assert_array_equal(again[0].problem.x, problem.x)
    np.testing.assert_array_equal(again[0].problem.y, problem.y)


def test_an_overflow_is_loaded_unchanged(run, tmp_path, problem) -> None:
    assert run("--lrs", "1e30", "--epochs", "9", "-o", "run.json", "--quiet").code == 0
    (again,), (trained,) = load(tmp_path / "run.json"), train(problem, [1e30], epochs=9)
    np.testing.assert_array_equal(again.weights, trained.weights)
    np.testing.assert_array_equal(again.losses, trained.losses)
    assert again.diagnosis == trained.diagnosis
    assert "NaN" not in (tmp_path / "run.json").read_text()  # which JSON does not have


@pytest.mark.slow
def test_reading_runs_does_not_load_torch(made) -> None:
    code = "import sys, animate; animate.load(sys.argv[1]); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(made)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a JSON file"),
        ("{}", "not a report"),
        ("[]", "not a report"),
        ("[" * 10**5, "not a JSON file"),
        (None, "No such file"),
    ],
)
def test_other_files_are_refused_with_the_reason(tmp_path, text, said) -> None:
    path = tmp_path / "run.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=said):
        load(path)


def test_an_unchanged_report_holds(made, run, monkeypatch) -> None:
    monkeypatch.chdir("/")
    done = run("--verify", str(made))
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines() == [
        "holds  2 runs: trained again the same, to the last bit",
        "holds  a.gif: as recorded, and made again the same",
        "holds  b.png: as recorded, and made again the same",
        "holds  c.svg: as recorded, and made again the same",
    ]


@pytest.mark.slow
def test_a_missing_and_a_changed_file_are_named_with_how_they_differ(made, run) -> None:
    (made.parent / "a.gif").unlink()
    with Image.open(made.parent / "b.png") as image:
        ImageDraw.Draw(image).rectangle((0, 0, 5, 5), fill=(255, 0, 0))
        image.save(made.parent / "b.png")
    done = run("--verify", str(made))
    assert done.code == 1
    said = done.err.splitlines()
    assert said[1] == "FAILS  a.gif: missing"
    assert said[2].startswith("FAILS  b.png: not the file that was recorded")
    assert said[2].endswith("1 of 1 pictures differ, by up to 255 of 255")
    assert said[3].startswith("holds  c.svg")


@pytest.mark.slow
def test_changed_settings_are_found_by_their_outputs(made, run) -> None:
    contents = json.loads(made.read_text())
    contents["settings"]["size"] = "800x450"
    contents["settings"]["seed"] = 3
    contents["versions"]["torch"] = "1.0"
    made.write_text(json.dumps(contents))
    done = run("--verify", str(made))
    assert done.code == 1
    said = done.err.splitlines()
    assert said[0].startswith(
        "FAILS  the data are not what the settings make now (torch 1.0 then, "
    )
    assert (
        "a.gif: as recorded, but made differently now: 640x360 pixels instead of 800x450" in said[1]
    )


@pytest.mark.slow
def test_a_folder_of_frames_is_verified(run, tmp_path) -> None:
    assert run(*MADE, "-o", "frames/", "-o", "run.json").code == 0
    assert run("--verify", "run.json").code == 0
    (tmp_path / "frames/frame-00003.png").unlink()
    done = run("--verify", "run.json")
    assert done.code == 1
    assert "frames/: not the file that was recorded" in done.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda contents: contents["runs"][0]["weights"].__setitem__(5, [99, 99]),
            "the run 'learning rate 0.7' is not",
        ),
        (
            lambda contents: contents["runs"][1]["losses"].__setitem__(-1, "nan"),
            "the run 'learning rate 5' is not",
        ),
        (
            lambda contents: contents["runs"][0].__setitem__("verdict", "diverging"),
            "the diagnosis of 'learning rate 0.7'",
        ),
        (lambda contents: contents["runs"].pop(), "the runs are not those of the settings"),
        (lambda contents: contents["problem"]["x"][0].__setitem__(0, 0.5), "the data are not"),
    ],
)
def test_changed_numbers_are_found_without_files(run, tmp_path, change, said) -> None:
    path = tmp_path / "run.json"
    assert run("--lrs", "0.7", "5", "--epochs", "12", "-o", "run.json", "--quiet").code == 0
    contents = json.loads(path.read_text())
    change(contents)
    path.write_text(json.dumps(contents))
    done = run("--verify", "run.json")
    assert done.code == 1
    assert f"FAILS  {said}" in done.err


@pytest.mark.slow
def test_a_changed_loop_count_is_found(made, run) -> None:
    contents = json.loads(made.read_text())
    contents["settings"]["loop"] = 3
    made.write_text(json.dumps(contents))
    done = run("--verify", str(made))
    assert done.code == 1
    assert "a.gif: as recorded, but made differently now: its pictures are shown" in done.err


@pytest.mark.slow
def test_another_processor_may_write_other_bytes_of_the_same_pixels(made, run) -> None:
    path = made.parent / "b.png"
    with Image.open(path) as image:
        image.save(path, compress_level=1)
    contents = json.loads(made.read_text())
    contents["versions"]["processor"] = "another"
    contents["outputs"][1]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    made.write_text(json.dumps(contents))
    done = run("--verify", str(made))
    assert done.code == 0
    assert (
        "b.png: as recorded; made again, the same pixels in other bytes (processor an" in done.err
    )


@pytest.mark.quick(1)
@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_documents_are_compared_by_their_drawing(runs, tmp_path, suffix) -> None:
    one, other, moved = (tmp_path / f"{name}{suffix}" for name in ("one", "other", "moved"))
    Animation(runs, ["bowl"]).save(one, at=3)
    Animation(runs, ["bowl"]).save(moved, at=4)
    data = one.read_bytes()
    # As another processor would write it: other in the last digit of a number.
    if suffix == ".svg":
        changed = data.replace(b'.5"', b'.50001"', 1)
    else:
        (stream,) = re.findall(rb"stream\n(.*?)\nendstream", data, re.DOTALL)[:1]
        drawn = zlib.decompress(stream)
        changed = data.replace(
            stream, zlib.compress(re.sub(rb"(\d\.\d+) ", rb"\g<1>0001 ", drawn, count=1))
        )
    other.write_bytes(changed)
    assert other.read_bytes() != data
    assert difference(one, other) is None
    assert difference(one, moved) is not None
