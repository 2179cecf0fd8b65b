"""A recipe is one readable file: what it says is made, and what it gets wrong is named."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from animate import Hyperparameters, InputError, Recipe, make
from animate.drawing.views import VIEWS
from animate.recipe import SETTINGS, Output
from animate.recipe.making import groups
from animate.recipe.toml import dumps, load, loads, named, shipped
from animate.system.validation import QUALITIES, SIZES

TALK = """\
lrs = [0.1, 0.7]
epochs = 3
hold = 0
size = "640x360"

[[output]]
path = "film.gif"

[[output]]
path = "figures/loss.svg"
views = ["loss"]
at = ["start"]

[[output]]
path = "fast.png"
lrs = [0.7, 0.9]
"""


def test_a_recipe_makes_every_output_beside_itself(run, tmp_path) -> None:
    (tmp_path / "my talk/figures").mkdir(parents=True)
    (tmp_path / "my talk/talk.toml").write_text(TALK)
    done = run("my talk/talk.toml", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "my talk/film.gif", "my talk/figures/loss.svg", "my talk/fast.png",
    ]  # fmt: skip
    with Image.open(tmp_path / "my talk/fast.png") as image:
        assert image.size == (640, 360)


def test_options_beside_a_recipe_win(run, tmp_path) -> None:
    (tmp_path / "talk.toml").write_text(TALK)
    done = run("talk.toml", "--quiet", "--lrs", "0.5", "--size", "800x450", "-o", "one.png")
    assert (done.code, done.out) == (0, "one.png\n")
    with Image.open(tmp_path / "one.png") as image:
        assert image.size == (800, 450)


def test_one_training_serves_all_outputs(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    runs = make(loads(TALK, "talk.toml"))
    assert [run.lr for run in runs] == [0.1, 0.7, 0.9]


@pytest.mark.slow
def test_outputs_of_one_picture_are_drawn_once(tmp_path) -> None:
    class Counter:
        frames = drawn = 0

        def __getattr__(self, name):
            return lambda *_: None

        def on_total(self, frames) -> None:
            self.frames += frames

        def on_frame(self) -> None:
            self.drawn += 1

    paths = [tmp_path / name for name in ("d.png", "a.mp4", "b.webm", "c.gif")]
    listener = Counter()
    recipe = Recipe(epochs=3, hold=0, size="640x360", outputs=paths)
    make(recipe, listener)
    assert listener.drawn == listener.frames == recipe.frame_count(recipe.epochs + 1) + 1
    for path in paths:
        make(replace(recipe, outputs=[tmp_path / f"alone{path.suffix}"]))
        assert (tmp_path / f"alone{path.suffix}").read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_what_the_command_says_is_saved_and_makes_the_same(run, tmp_path) -> None:
    options = ["--epochs", "4", "--hold", "0", "--lrs", "0.1", "1.01", "--title", 'a "b" = \\ #']
    first = run(
        *options, "-o", "a.gif", "-o", "b.pdf", "--at", "0", "end", "--save-recipe", "t.toml"
    )
    assert (first.code, first.out) == (0, "t.toml\na.gif\nb.pdf\n")
    made = {name: (tmp_path / name).read_bytes() for name in ("a.gif", "b.pdf")}
    for name in made:
        (tmp_path / name).unlink()
    assert run("t.toml").code == 0
    assert {name: (tmp_path / name).read_bytes() for name in made} == made


def test_a_recipe_saved_elsewhere_still_means_the_same_files(run, tmp_path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    done = run("--epochs", "2", "-o", "here.png", "--save-recipe", "deep/er/t.toml", "--quiet")
    assert done.code == 0
    (tmp_path / "here.png").unlink()
    assert run("deep/er/t.toml", "--quiet").code == 0
    assert (tmp_path / "here.png").exists()


RATES = st.floats(1e-3, 10).map(lambda value: float(f"{value:.6g}"))
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


@given(
    st.builds(
        Recipe,
        lrs=st.lists(RATES, min_size=1, max_size=5, unique=True),
        epochs=st.integers(1, 10_000),
        seed=st.integers(0, 2**63 - 1),
        noise=st.sampled_from(["uniform", "gaussian", "none"]),
        true_weights=st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
        views=st.lists(st.sampled_from(sorted(VIEWS)), min_size=1, max_size=3),
        size=st.none() | st.sampled_from(sorted(SIZES)),
        title=st.none() | TEXTS,
        at=st.sampled_from([("end",), (0, 1), ("start", "converged")]),
        fps=st.sampled_from([25, 29.97, 12.5]),
        duration=st.none() | st.floats(5, 50),
        quality=st.sampled_from(QUALITIES),
        max_size=st.none() | st.sampled_from(["2MB", 300_000]),
        outputs=st.just(
            [
                "a.mp4",
                "frames %d/",
                Output("x/ü 1.gif", {"size": "640x360", "theme": "dark", "lrs": [0.5]}),
                Output("s.pdf", {"at": [0, "end"], "title": "two\nlines"}),
            ]
        ),
    )
)
def test_the_round_trip_is_exact(recipe: Recipe) -> None:
    assert loads(dumps(recipe), "talk.toml") == recipe


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 5", "t.toml, line 1: there is no setting 'epoch'; did you mean epochs?"),
        ("epochs = '5'", "t.toml, line 1: epochs = '5' is not a whole number"),
        ("epochs = true", "t.toml, line 1: epochs = True is not a whole number"),
        ("epochs = 1.5", "t.toml, line 1: epochs = 1.5 is not a whole number"),
        ("\n# more\nepochs = 0", "t.toml, line 3: number of epochs 0 is out of bounds"),
        ("lrs = 0.1", "t.toml, line 1: lrs = 0.1 is not a list of numbers"),
        ("lrs = [0.1, 'x']", "t.toml, line 1: lrs = [0.1, 'x'] is not a list of numbers"),
        ("lrs = [0.1, 0.1]", "t.toml, line 1: learning rate 0.1 is given twice"),
        ("lrs = [nan]", "t.toml, line 1: learning rate nan is not a finite number"),
        ("views = ['fti']", "t.toml, line 1: view 'fti' is unknown; did you mean fit?"),
        ("size = [640, 360]", "t.toml, line 1: size = [640, 360] is not text"),
        ("size = '10x10'", "t.toml, line 1: size 10x10 is out of bounds"),
        ("seed = 1\nseed = 2\n", "t.toml is not TOML: Cannot overwrite a value (at line 2"),
        ("seed = ", "t.toml is not TOML"),
        ("output = 'a.gif'", "t.toml, line 1: give each output as a table, [[output]]"),
        ("[output]\npath = 'a.gif'", "t.toml, line 1: give each output as a table, [[output]]"),
        ("[[output]]\nviews = ['fit']", "t.toml, output 1: each output needs a path"),
        (
            "[[output]]\npath = 3",
            "line 2: each output needs a path, such as 'lesson.mp4', and 3 is not",
        ),
        (
            "[[output]]\npaht = 'a.gif'",
            "t.toml, line 2: there is no setting 'paht'; did you mean path",
        ),
        ("[[output]]\npath = 'a.avi'", "t.toml, line 2: a.avi has the unknown extension .avi"),
        ('[[output]]\npath = "a\\u0000.png"', "cannot be a path"),
        (
            "[[outputs]]\npath = 'a.gif'",
            "line 1: there is no setting 'outputs'; did you mean output",
        ),
        ("path = 'a.gif'", "t.toml, line 1: there is no setting 'path'; it belongs in a table"),
        ("output = []", "t.toml, line 1: there is no output"),
        ("theme = 'drak'", "t.toml, line 1: theme 'drak' is unknown; did you mean dark?"),
        ("duration = 1", "outputs/convergence.mp4: a film of 1 seconds is too short"),
        ("[" * 5000, "t.toml is not TOML"),
        (
            "[[output]]\npath = 'a.gif'\n[[output]]\npath = 'b.gif'\nviewz = ['fit']",
            "t.toml, line 5: there is no setting 'viewz'; did you mean views?",
        ),
        (
            "[[output]]\npath = 'a.gif'\nseed = 3",
            "t.toml, line 3: seed is of the whole recipe; set it above the outputs",
        ),
        ("[[output]]\npath = 'a.png'\nat = 101", "t.toml, line 3: epoch 101 is out of bounds"),
        (
            "[[output]]\npath = 'a.png'\nat = 'midle'",
            "t.toml, line 3: epoch 'midle' is not a whole number",
        ),
        ("[[output]]\npath='a.png'\n[[output]]\npath='./a.png'", "./a.png is given twice"),
    ],
)
def test_a_mistake_is_named_with_its_file_line_and_remedy(run, tmp_path, text, said) -> None:
    (tmp_path / "t.toml").write_text(text)
    done = run("t.toml")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "t.toml"]


def test_a_recipe_that_cannot_be_read_is_named(run, tmp_path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"title = '\xff'")
    (tmp_path / "folder.toml").mkdir()
    with (tmp_path / "large.toml").open("wb") as file:
        file.truncate(100_000_000)
    for name, said in (
        ("bytes.toml", "not text in UTF-8"),
        ("folder.toml", "cannot be read: Is a directory"),
        ("large.toml", "larger than 1 MB"),
        ("missing.toml", "cannot be read: No such file"),
        ("artcle", "there is no recipe 'artcle'; did you mean article?"),
    ):
        done = run(name)
        assert done.code == 2
        assert said in done.err


def test_the_recipes_that_ship_are_named_with_a_line_each(run) -> None:
    lines = run("--list-recipes").out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(shipped())
    assert {"article", "slides"} <= set(shipped())
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_each_recipe_that_ships_can_be_made(run, tmp_path, name) -> None:
    done = run(name, "--dry-run")
    assert done.code == 0, done.err
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_a_file_here_too_must_be_said_more_clearly(run, tmp_path) -> None:
    (tmp_path / "article").write_text("epochs = 7\n[[output]]\npath = 'a.png'\n")
    done = run("article")
    assert done.code == 2
    assert "write ./article for the file, or animate:article for the other" in done.err
    assert named("./article").epochs == 7
    assert named("animate:article").epochs == 100


def test_paths_in_a_recipe_are_as_written(tmp_path) -> None:
    file = tmp_path / "deep/t.toml"
    file.parent.mkdir()
    file.write_text("[[output]]\npath = '../a.png'\n[[output]]\npath = '/tmp/b.png'\n")
    assert [part.path for part in load(file).by_output] == [f"{file.parent}/../a.png", "/tmp/b.png"]


def test_an_epoch_without_a_still_is_an_error(run) -> None:
    done = run("--at", "8", "-o", "a.gif")
    assert done.code == 2
    assert "at is a setting of a still, and no output is one; leave it out" in done.err


def test_a_recipe_from_python_is_checked_too() -> None:
    with pytest.raises(InputError, match="seed is of the whole recipe"):
        Recipe(outputs=[Output("a.gif", {"seed": 3})])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("path = 'a.gif'\nat = 8", "at is a setting of a still, and a.gif is not one"),
        (
            "path = 'a.png'\nmax-size = '1MB'",
            "max-size is a setting of a film, and a.png is not one",
        ),
    ],
)
def test_a_setting_that_has_no_effect_on_its_output_is_an_error(
    run, tmp_path, changes, said
) -> None:
    (tmp_path / "t.toml").write_text(f"[[output]]\n{changes}\n")
    done = run("t.toml")
    assert done.code == 2
    assert said in done.err


def test_an_output_is_the_same_alone_as_beside_others_in_any_order(tmp_path) -> None:
    one = Output(f"{tmp_path}/one.png", {"lrs": (1.01, 0.1)})
    two = Output(f"{tmp_path}/two.png", {"lrs": (0.1, 1.01)})
    make(Recipe(epochs=4, outputs=[one]))
    alone = (tmp_path / "one.png").read_bytes()
    make(Recipe(epochs=4, outputs=[one, two]))
    assert (tmp_path / "one.png").read_bytes() == alone


def test_a_learning_rate_looks_the_same_in_every_output(tmp_path) -> None:
    recipe = Recipe(
        epochs=2,
        outputs=[Output(f"{tmp_path}/{lr}.png", {"lrs": [lr]}) for lr in (0.1, 0.7)],
    )
    runs = make(recipe)
    styles = [part.animation(runs).scene.theme.run(0) for part in recipe.by_output]
    together = Recipe(lrs=[0.1, 0.7]).by_output[0].animation(runs).scene.theme
    assert styles == [together.run(0), together.run(1)]


def test_options_that_bound_others_win_before_those_are_judged(run, tmp_path) -> None:
    (tmp_path / "t.toml").write_text("at = 150\n[[output]]\npath = 'a.png'\n")
    assert run("t.toml", "--dry-run").code == 2
    assert run("t.toml", "--dry-run", "--epochs", "300").code == 0


def test_all_rates_of_all_outputs_are_held_to_the_memory_that_there_is() -> None:
    outputs = [
        Output(f"{n}.png", {"lrs": [n + (k + 1) / 100 for k in range(12)]}) for n in range(20)
    ]
    with pytest.raises(InputError, match="epochs of 240 runs would take"):
        Recipe(epochs=10**7, outputs=outputs)


def test_many_epochs_of_one_rate_survive_the_round_trip() -> None:
    recipe = Recipe(lrs=[0.1], epochs=60_000_000)
    assert loads(dumps(recipe), "t.toml") == recipe


@pytest.mark.slow
def test_a_recipe_saved_elsewhere_makes_the_folder_of_outputs_again(run, tmp_path) -> None:
    (tmp_path / "talks").mkdir()
    saved = ["--epochs", "1", "--hold", "0", "--quiet", "--save-recipe", "talks/t.toml"]
    assert run(*saved).code == 0
    for path in (tmp_path / "outputs").iterdir():
        path.unlink()
    (tmp_path / "outputs").rmdir()
    assert run("talks/t.toml", "--quiet").code == 0
    assert len(list((tmp_path / "outputs").iterdir())) == 2


def test_a_style_file_lies_where_the_recipe_says(run, tmp_path) -> None:
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks/my.mplstyle").write_text("figure.facecolor: 102030\n")
    (tmp_path / "talks/t.toml").write_text("theme = 'my.mplstyle'\n[[output]]\npath = 'a.png'\n")
    assert run("talks/t.toml", "--quiet").code == 0
    with Image.open(tmp_path / "talks/a.png") as image:
        assert image.convert("RGB").getpixel((0, 0)) == (0x10, 0x20, 0x30)


def test_a_saved_recipe_is_as_readable_as_one_by_hand() -> None:
    text = dumps(Recipe(outputs=["a.gif", Output("b.png", {"at": [8]})]))
    assert "lrs = [0.1, 0.7, 1.01]\n" in text
    assert text.endswith('\n[[output]]\npath = "a.gif"\n\n[[output]]\npath = "b.png"\nat = [8]\n')


def test_a_file_in_the_way_of_the_folder_of_outputs_is_named(run, tmp_path) -> None:
    (tmp_path / "outputs").write_text("mine")
    for arguments in ([], ["--dry-run"]):
        done = run(*arguments)
        assert done.code == 1
        assert "outputs is not a folder" in done.err
    assert (tmp_path / "outputs").read_text() == "mine"


def test_every_combination_of_the_hyperparameters_is_a_run() -> None:
    recipe = Recipe(
        lrs=[0.1, 0.2], optimizer=["sgd", "momentum", "adam"], momentum=[0.5, 0.9], batch_size=[10]
    )
    found = [(one.optimizer, one.momentum, one.lr) for one in recipe.hyperparameters]
    assert found == [
        *[("sgd", beta, lr) for beta in (0.5, 0.9) for lr in (0.1, 0.2)],
        *[("momentum", beta, lr) for beta in (0.5, 0.9) for lr in (0.1, 0.2)],
        *[("adam", None, lr) for lr in (0.1, 0.2)],
    ]
    assert {one.batch_size for one in recipe.hyperparameters} == {10}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"optimizer": ["adam"], "momentum": [0.9]}, "optimizer adam takes no momentum"),
        ({"optimizer": ["lbfgs"]}, "optimizer lbfgs cannot be used: it needs a closure"),
        ({"momentum": [1]}, "momentum 1 is out of bounds"),
        ({"schedule": ["cosin"]}, "did you mean cosine?"),
        ({"batch_size": [0]}, "batch size 0 is out of bounds"),
        ({"optimizer": ["sgd", "SGD"]}, "optimizer 'SGD' is given twice"),
        (
            {"lrs": [n / 10 for n in range(1, 6)], "schedule": ["step", "cosine", "range"]},
            "15 runs",
        ),
    ],
)
def test_hyperparameters_that_cannot_be_combined_are_named(settings, said) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        Recipe(**settings)


def test_a_recipe_may_list_its_runs_with_labels_of_their_own() -> None:
    text = (
        "[[run]]\nlr = 0.1\nlabel = 'slow'\n[[run]]\nlr = 0.1\noptimizer = 'adam'\nbatch-size = 5\n"
    )
    recipe = loads(text, "t.toml")
    assert recipe.hyperparameters == (
        Hyperparameters(0.1, label="slow"),
        Hyperparameters(0.1, "adam", batch_size=5),
    )
    assert loads(dumps(recipe), "t.toml") == recipe


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lrs = [0.1]\n[[run]]\nlr = 0.2", "line 2: [[run]] tables and lrs both say what"),
        ("[[run]]\nlabel = 'a'", "t.toml, run 1: each run needs lr"),
        (
            "[[run]]\nlr = 0.2\nlabl = 'a'",
            "line 3: there is no setting 'labl' of a run; did",
        ),
        ("[[run]]\nlr = 0.2\n[[run]]\nlr = 0", "t.toml, line 4: learning rate 0 is not positive"),
        ("run = 3", "t.toml, line 1: give each run as a table, [[run]]"),
    ],
)
def test_a_mistake_in_a_run_is_named(text, said) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        loads(text, "t.toml")


OTHER_VALUES = {
    "lrs": [0.2], "optimizer": ["adam"], "momentum": [0.9], "batch_size": [10],
    "schedule": ["cosine"], "views": ["loss"], "size": "640x360", "theme": "dark",
    "title": "another", "labels": ["a", "b", "c"], "font": "another.ttf", "fps": 12, "hold": 1,
    "duration": 3,
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name, one in SETTINGS.items() if one.per_output and one.changes_frames]
)
def test_outputs_share_frames_only_if_they_agree_in_what_changes_them(name) -> None:
    apart = Output("b.webp", {name: OTHER_VALUES[name]})
    together = Output("c.webm", {"quality": "low", "loop": 2, "size": "800x450"})
    recipe = Recipe(outputs=["a.gif", apart, together])
    assert [[part.path for part in group] for group in groups(recipe)] == [
        ["a.gif", "c.webm"], ["b.webp"],
    ]  # fmt: skip
