"""What a recipe trains: a file of points, a ready problem, or a function of the reader's."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from animate import InputError, Recipe, load
from animate.recipe.problems import READY_NAMES
from animate.recipe.toml import load as load_recipe
from animate.training.problems import READY

QUICK = ["--epochs", "3", "--hold", "0", "--size", "640x360", "--quiet"]

LESSON = """\
import animate
import torch
from torch import nn
from helper import target

def problem(seed=0):
    x = torch.linspace(-1, 1, 20)[:, None]
    make = lambda: nn.Linear(1, 1)
    return animate.Supervised(make, x, target(x), loss=nn.functional.mse_loss, seed=seed)

def number(): return 3
def fails(): raise RuntimeError("no weather today")
def line(): return animate.Line([0, 1, 2], [1, 3, 5])
constant = 3
"""


@pytest.fixture
def points(tmp_path: Path) -> Path:
    """Write 40 points of score over hours, far from standardized, with decimal commas."""
    path = tmp_path / "points.csv"
    rows = [f"{hour:.1f};{20 + 3 * hour + (hour * 7) % 5:.2f}" for hour in range(40)]
    path.write_text("hours;score\n" + "\n".join(rows).replace(".", ",") + "\n")
    return path


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """Write a file with problems, and a module beside it that it imports."""
    (tmp_path / "helper.py").write_text("def target(x): return 2 * x + 1\n")
    path = tmp_path / "lesson.py"
    path.write_text(LESSON)
    return path


def test_data_are_trained_standardized_at_the_rates_of_the_article(run, points) -> None:
    assert run("--data", "points.csv", *QUICK, "-o", "run.json").code == 0
    hours, score = np.loadtxt(
        points.read_text().replace(",", ".").splitlines(), delimiter=";", skiprows=1, unpack=True
    )
    x = torch.tensor((hours - hours.mean()) / hours.std(), dtype=torch.float32)
    y = torch.tensor((score - score.mean()) / score.std(), dtype=torch.float32)
    for trained in load(points.parent / "run.json"):
        weights = torch.tensor([-1.0, 1.0], requires_grad=True)
        optimizer = torch.optim.SGD([weights], trained.lr)
        for record in trained.weights:
            np.testing.assert_allclose(record, weights.detach(), rtol=1e-5)
            optimizer.zero_grad()
            mse_loss(weights[0] * x + weights[1], y).backward()
            optimizer.step()
    assert [trained.lr for trained in load(points.parent / "run.json")] == [0.1, 0.7, 1.01]


def test_columns_are_chosen_by_name_or_number_and_may_stay_as_they_are(run, points) -> None:
    chosen = ["--columns", "2", "hours", "--no-standardize", "--lrs", "0.0001"]
    assert run("--data", "points.csv", *chosen, *QUICK, "-o", "run.json").code == 0
    problem = load(points.parent / "run.json")[0].problem
    assert (problem.x_name, problem.y_name) == ("score", "hours")
    assert problem.standardization is None


def test_without_standardizing_the_limit_and_the_epochs_needed_are_said(run, points) -> None:
    hours = np.linspace(0, 100, 300)
    points.write_text("".join(f"{x};{2 * x}\n" for x in hours))
    chosen = ["--data", "points.csv", "--epochs", "3", "-o", "run.json"]
    design = np.column_stack([hours, np.ones(300)])
    least, most = np.linalg.eigvalsh(2 / 300 * design.T @ design)
    said = f"stability limit {2 / most:#.4g}, condition number {most / least:,.0f}, "
    raw = run(*chosen, "--no-standardize", "--lrs", "0.0001")
    assert f"points.csv, not standardized: {said}" in raw.err
    assert "condition number" not in run(*chosen).err
    assert "condition number" not in run(*chosen, "--no-standardize", "--quiet").err


def test_a_recipe_holds_the_path_and_the_checksum_of_its_data(run, points, tmp_path) -> None:
    folder = tmp_path / "talk"
    folder.mkdir()
    saved = ["--save-recipe", "talk/it.toml", "-o", "talk/a.json"]
    assert run("--data", "points.csv", *QUICK, *saved).code == 0
    assert load_recipe(folder / "it.toml").data == f"{folder}/../points.csv"
    assert run("talk/it.toml").code == 0
    assert run("--verify", "talk/a.json").code == 0
    points.write_text(points.read_text().replace("hours", "Hours"))
    done = run("talk/it.toml")
    assert done.code == 2
    assert "is not the file that the recipe was made from" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n3,x\n", "line 3, column b"),
        ("a,b\n1,2\n3,nan\n", "line 3, column b"),
        ("a,b\n1,2\n", "give at least two"),
        ("a,b\n1,2\n1,3\n", "column a"),
        ("a,b,c\n1,2,3\n3,4,5\n", "two columns of numbers are needed, and 3 are there (a, b, c)"),
    ],
)
def test_data_that_cannot_be_used_are_2_before_training(run, tmp_path, text, said) -> None:
    (tmp_path / "bad.csv").write_text(text)
    done = run("--data", "bad.csv", "-o", "a.gif")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"columns": ["a", "b"]}, "columns has no effect, since no data are given"),
        ({"data": "a.csv", "points": 50}, "points has no effect, since data are given"),
        ({"data": "a.csv", "seed": 3}, "seed has no effect, since data are given"),
        ({"problem": "moons", "start": [0, 0]}, "start has no effect, since a problem is given"),
        ({"problem": "moons", "data": "a.csv"}, "both say what to train"),
        ({"problem": "moon"}, "there is no problem 'moon'; did you mean moons?"),
        ({"data": "a.csv", "columns": ["a", "a"]}, "columns 'a', 'a' are not two"),
    ],
)
def test_settings_that_contradict_each_other_are_named(settings, said) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        Recipe(**settings)


def test_the_names_of_ready_problems_are_those_of_their_table() -> None:
    assert tuple(READY) == READY_NAMES


@pytest.mark.parametrize("name", READY_NAMES)
def test_a_ready_problem_brings_its_own_rates_epochs_and_views(name) -> None:
    recipe, ready = Recipe(problem=name), READY[name]
    assert (recipe.lrs, recipe.epochs, recipe.views) == (ready.lrs, ready.epochs, ready.views)
    assert Recipe(problem=name, lrs=[0.5], views=["loss"]).lrs == (0.5,)


def test_the_seed_is_that_of_the_problem(run, lesson) -> None:
    for seed in ("0", "5"):
        done = run("--problem", "lesson.py:problem", "--seed", seed, *QUICK, "-o", f"{seed}.json")
        assert done.code == 0
    first, second = (load(lesson.parent / f"{seed}.json")[0].weights[0] for seed in (0, 5))
    assert not np.array_equal(first, second)
    done = run("--problem", "lesson.py:line", "--seed", "5", *QUICK)
    assert (done.code, done.err) == (
        2, "animate: problem lesson.py:line takes no seed; leave --seed out\n",
    )  # fmt: skip


def test_a_problem_of_a_file_or_a_module_is_trained_as_by_torch_alone(
    run, lesson, monkeypatch
) -> None:
    monkeypatch.syspath_prepend(lesson.parent)
    for name in ("lesson.py:problem", "lesson:problem"):
        assert run("--problem", name, "--lrs", "0.1", *QUICK, "-o", "run.json").code == 0
        (trained,) = load(lesson.parent / "run.json")
        x = torch.linspace(-1, 1, 20)[:, None]
        torch.manual_seed(0)
        model = torch.nn.Linear(1, 1)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        for record in trained.weights:
            np.testing.assert_array_equal(record, [model.weight.item(), model.bias.item()])
            optimizer.zero_grad()
            mse_loss(model(x), 2 * x + 1).backward()
            optimizer.step()


def test_a_line_of_a_file_is_a_problem_too(run, lesson) -> None:
    assert run("--problem", "lesson.py:line", *QUICK, "-o", "run.json").code == 0
    np.testing.assert_allclose(load(lesson.parent / "run.json")[0].problem.best_weights, [2, 1])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.py:problem", "nowhere.py cannot be imported: FileNotFoundError"),
        ("nowhere:problem", "nowhere cannot be imported: ModuleNotFoundError"),
        ("lesson.py:other", "lesson.py has no other; give a function without arguments"),
        ("lesson.py:constant", "lesson.py has a int, not a function, constant"),
        ("lesson.py:fails", "cannot be made: RuntimeError: no weather today"),
        (
            "lesson.py:number",
            "returns a int, which cannot be trained; return an animate.Supervised",
        ),
    ],
)
def test_a_problem_that_is_missing_raises_or_is_something_else_is_2(
    run, lesson, name, said
) -> None:
    done = run("--problem", name, "-o", "a.gif")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.startswith(f"animate: problem {name}")
    assert done.err.count("\n") == 1
    assert not (lesson.parent / "a.gif").exists()


@pytest.mark.usefixtures("lesson")
def test_debug_shows_the_traceback_of_the_problem(run) -> None:
    done = run("--problem", "lesson.py:fails", "-o", "a.gif", "--debug")
    assert done.code == 2
    assert 'def fails(): raise RuntimeError("no weather today")' in done.err


@pytest.mark.usefixtures("lesson")
def test_a_view_that_the_problem_lacks_is_2_before_training(run, monkeypatch) -> None:
    monkeypatch.setattr("animate.training.descent.train", pytest.fail)
    done = run("--problem", "lesson.py:problem", "--views", "bowl", "-o", "a.gif")
    assert done.code == 2
    assert "view bowl: it requires a problem that" in done.err
    assert "views that can show these runs: " in done.err


@pytest.mark.usefixtures("lesson")
def test_a_view_that_a_page_of_a_model_cannot_draw_is_2_before_training(run, monkeypatch) -> None:
    monkeypatch.setattr("animate.training.descent.train", pytest.fail)
    done = run("--problem", "lesson.py:problem", "--views", "weights", "-o", "a.html")
    assert done.code == 2
    assert "view weights: a page of recorded runs cannot draw it" in done.err


@pytest.mark.usefixtures("lesson")
def test_a_page_of_a_model_plays_what_was_recorded(run, tmp_path) -> None:
    done = run("--problem", "lesson.py:problem", *QUICK, "-o", "a.html")
    assert (done.code, done.out) == (0, "a.html\n")
    footer = (tmp_path / "a.html").read_text(encoding="utf-8").partition("<footer>")[2]
    assert "lesson.py:problem: " in footer
    assert "Nothing is trained here" in footer


def test_batches_allow_fractions_of_an_epoch(run, tmp_path) -> None:
    batches = ["--lrs", "0.1", "--batch-size", "25", *QUICK]
    assert run(*batches, "-o", "a.png", "-o", "a.json", "--at", "0.5").code == 0
    contents = json.loads((tmp_path / "a.json").read_text())
    assert contents["settings"]["at"] == [0.5]
    assert contents["runs"][0]["steps_per_epoch"] == 4
    assert run("--lrs", "0.1", *QUICK, "-o", "b.png", "--at", "0.5").code == 2


def test_a_report_of_a_model_is_verified_and_loaded(run, lesson) -> None:
    several = ["--optimizer", "sgd", "adam", "--batch-size", "8", "--schedule", "cosine"]
    settings = ["--problem", "lesson.py:problem", "--lrs", "0.1", *several, *QUICK]
    assert run(*settings, "-o", "run.json", "-o", "a.gif").code == 0
    assert run("--verify", "run.json").code == 0
    again = load(lesson.parent / "run.json")
    assert [one.hyperparameters.optimizer for one in again] == ["sgd", "adam"]
    assert again[0].steps_per_epoch == 3
    assert np.isfinite(again[0].metrics["batch_loss"][1:]).all()


def test_the_function_of_a_problem_is_called_once(run, lesson) -> None:
    counted = """\
def counted():
    with open("calls", "a") as file:
        file.write("x")
    return problem()
"""
    lesson.write_text(LESSON + counted)
    outputs = ["-o", "a.json", "-o", "b.gif", "-o", "c.png"]
    assert run("--problem", "lesson.py:counted", "--lrs", "0.1", *QUICK, *outputs).code == 0
    assert (lesson.parent / "calls").read_text() == "x"
