"""A run that is saved is the run that is read, and any other file is refused by a sentence."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from animate import Hyperparameters, InputError, Line, OutputError, Trajectory, load, train
from animate.page import page


def same(one: Trajectory, other: Trajectory) -> None:
    assert one.label == other.label
    assert one.has_own_label == other.has_own_label
    assert one.hyperparameters == other.hyperparameters
    assert one.steps_per_epoch == other.steps_per_epoch
    assert one.diagnosis == other.diagnosis
    for name in ("weights", "losses", "steps", "lrs"):
        first, second = getattr(one, name), getattr(other, name)
        assert (first is None) == (second is None)
        if first is not None:
            assert first.dtype == second.dtype
            np.testing.assert_array_equal(first, second)
    for name in ("metrics", "buffers"):
        first, second = getattr(one, name), getattr(other, name)
        assert list(first) == list(second)
        for key in first:
            np.testing.assert_array_equal(first[key], second[key])


def test_everything_is_read_back_to_the_last_bit(tmp_path) -> None:
    weights = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float16)
    run = Trajectory(
        weights,
        [3.0, np.nan, np.inf, 1 / 3],
        steps=[0, 5, 7, 11],
        hyperparameters=Hyperparameters(0.1, "adam", schedule="cosine", batch_size=8, seed=3),
        metrics={"accuracy": [0.1, np.nan, 0.3, 0.4], "../a/b ü": [1, 2, 3, 4]},
        label="mine: ü",
        steps_per_epoch=3,
        lrs=[0.1, 0.09, np.nan, 0.01],
        buffers={"1.running_mean": np.arange(8.0).reshape(4, 2), "1.count": np.arange(4)},
    )
    run.save(tmp_path / "run.npz")
    same(load(tmp_path / "run.npz"), run)
    first = (tmp_path / "run.npz").read_bytes()
    run.save(tmp_path / "run.npz")
    assert (tmp_path / "run.npz").read_bytes() == first
    losses = Trajectory(None, [2.0, 1.0])
    losses.save(tmp_path / "b.NPZ")
    same(load(tmp_path / "b.NPZ"), losses)


def test_a_trained_run_of_a_line_keeps_its_problem(runs, tmp_path) -> None:
    for place, run in enumerate(runs):
        run.save(tmp_path / f"{place}.npz")
        again = load(tmp_path / f"{place}.npz")
        same(again, run)
        for name in ("x", "y", "start", "true_weights"):
            np.testing.assert_array_equal(getattr(again.problem, name), getattr(run.problem, name))
        assert again.problem.sampling == run.problem.sampling
        assert page([again]) == page([run])


def test_other_problems_are_not_saved_and_the_run_is(tmp_path) -> None:
    class Known:
        def loss(self, weights):
            return np.sum(np.square(weights), axis=-1)

    run = Trajectory([[1.0, 2.0], [0.5, 0.0]], problem=Known())
    assert run.losses.tolist() == [5, 0.25]
    run.save(tmp_path / "run.npz")
    again = load(tmp_path / "run.npz")
    assert again.problem is None
    assert again.losses.tolist() == [5, 0.25]


def test_rates_are_those_of_constant_hyperparameters(runs) -> None:
    assert [run.lrs.tolist() for run in runs] == [[run.lr] * 101 for run in runs]
    known = Hyperparameters(0.1, schedule="step")
    assert np.isnan(Trajectory(None, [1.0, 2.0], hyperparameters=known).lrs).all()
    assert np.isnan(Trajectory(None, [1.0, 2.0]).lrs).all()
    with pytest.raises(InputError, match=r"losses 2.*lrs 3"):
        Trajectory(None, [1.0, 2.0], lrs=[1, 2, 3])
    with pytest.raises(InputError, match=r"losses 2.*buffer a 1"):
        Trajectory(None, [1.0, 2.0], buffers={"a": [1]})
    with pytest.raises(InputError, match="buffers 3 are not a mapping"):
        Trajectory(None, [1.0, 2.0], buffers=3)


def test_a_failed_save_keeps_the_old_file(tmp_path) -> None:
    run = Trajectory(None, [2.0, 1.0])
    with pytest.raises(InputError, match=r"does not end in .npz"):
        run.save(tmp_path / "run.json")
    run.save(tmp_path / "run.npz")
    with pytest.raises(OutputError, match="is not a folder"):
        run.save(tmp_path / "run.npz" / "run.npz")
    (tmp_path / "run.npz").chmod(0o444)
    before = (tmp_path / "run.npz").read_bytes()
    with pytest.raises(OutputError, match="not writable"):
        run.save(tmp_path / "run.npz")
    assert (tmp_path / "run.npz").read_bytes() == before


class Explosive:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize("kind", ["text", "torn", "other", "zip", "pickle", "newer", "empty"])
def test_a_file_that_is_no_run_is_refused(tmp_path, kind: str, capsys) -> None:
    path = tmp_path / "run.npz"
    run = Trajectory([[1.0]], [2.0])
    run.save(path)
    if kind == "text":
        path.write_text("text")
    elif kind == "torn":
        path.write_bytes(path.read_bytes()[:-60])
    elif kind == "other":
        np.savez(path, weights=np.zeros(3))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "text")
    elif kind == "pickle":
        np.savez(path, about=np.array([Explosive()], dtype=object))
    elif kind == "newer":
        with np.load(path) as archive:
            arrays = dict(archive)
        arrays["about"] = np.array(str(arrays["about"]).replace('"format": 1', '"format": 2'))
        np.savez(path, **arrays)
    else:
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"run\.npz"):
        load(path)
    assert capsys.readouterr().out == ""


def test_flipped_bytes_are_an_input_error_or_the_run(tmp_path) -> None:
    path = tmp_path / "run.npz"
    run = Trajectory(np.ones((3, 2)), [2.0, 1.0, 0.5])
    run.save(path)
    data = path.read_bytes()
    for place in range(0, len(data), 23):
        wrong = bytearray(data)
        wrong[place] ^= 0xFF
        path.write_bytes(wrong)
        try:
            same(load(path), run)
        except InputError:
            continue


def test_files_that_are_missing_or_of_another_kind(tmp_path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "none.npz")
    with pytest.raises(InputError, match="Is a directory"):
        load(tmp_path)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InputError, match=r"a\.png"):
        load(tmp_path / "a.png")


# Losses alone


def test_losses_of_a_csv(tmp_path) -> None:
    path = tmp_path / "losses.csv"
    path.write_text(
        "time,Step,loss,accuracy,lr\n12:00,0,3.5,,0.1\n12:01,10,2.5,0.5,0.1\n"
        "12:02,20,,0.75,nan\n12:03,30,nan,0.8,0.01\n"
    )
    run = load(path)
    assert run.weights is None
    assert run.steps.tolist() == [0, 10, 20, 30]
    np.testing.assert_array_equal(run.losses, [3.5, 2.5, np.nan, np.inf])
    assert list(run.metrics) == ["accuracy", "lr"]
    np.testing.assert_array_equal(run.metrics["accuracy"], [np.nan, 0.5, 0.75, 0.8])
    assert run.diagnosis.overflowed_at == 30
    path.write_text("epoch;loss\n1;3,5\n2;2,25\n")
    run = load(path)
    assert (run.losses.tolist(), run.times.tolist(), run.time_unit) == (
        [3.5, 2.25], [1, 2], "epoch"
    )  # fmt: skip
    path.write_text("step,loss\n0,1\n")
    assert load(path).diagnosis.verdict is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("1,2\n3,4\n", "no column loss"),
        ("step,mse\n3,4\n", "no column loss, but 'step, mse'"),
        ("step,loss\n0,3\n1,low\n", "line 3, column loss: 'low' is not a number"),
        ("step,loss\n0,3\n0,2\n", "steps are not whole numbers that rise"),
        ("step,loss\n0,3\n0.5,2\n", "steps are not whole numbers that rise"),
        ("step,loss\n0,3\n,2\n", "line 3, column step: the value is missing"),
    ],
)
def test_losses_that_cannot_be_read(tmp_path, data: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(data)
    with pytest.raises(InputError, match=said):
        load(tmp_path / "a.csv")


def test_reading_a_run_does_not_load_torch(tmp_path) -> None:
    Trajectory([[1.0, 2.0]], problem=Line([1, 2], [3, 4])).save(tmp_path / "run.npz")
    code = "import sys, animate; animate.load(sys.argv[1]); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tmp_path / "run.npz")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "False\n"


def test_many_runs_know_their_rate_without_an_array_each(problem) -> None:
    runs = train(problem, np.linspace(0.1, 0.9, 50), epochs=20)
    assert all(run.lrs.strides == (0,) for run in runs)
