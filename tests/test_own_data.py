"""Two columns of a CSV file, as people have them, become a line that is trained and drawn truly."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pictures
import pytest
from matplotlib.text import Text

from animate import Animation, InputError, Line, load, train
from animate.drawing.scene import Scene
from animate.page import page
from animate.recipe.report import load as load_report
from animate.recipe.report import report, text
from animate.system import validation
from animate.training.columns import read_columns

HOURS = np.array([1.5, 2.0, 3.25, 4.0, 5.5, 7.0])
SCORE = np.array([52.0, 55.5, 61.0, 60.25, 71.0, 80.0])
ROWS = list(zip(HOURS, SCORE, strict=True))


def rows(separator: str = ",", ending: str = "\n", decimal: str = ".") -> str:
    return "".join(f"{x}{separator}{y}{ending}".replace(".", decimal) for x, y in ROWS)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (f"hours,score\n{rows()}", ("hours", "score")),
        (rows(), ("x", "y")),
        (f"\ufeffhours,score\n{rows()}", ("hours", "score")),
        (f"hours;score\r\n{rows(';', chr(13) + chr(10), ',')}", ("hours", "score")),
        (f"hours\tscore\n{rows(chr(9))}", ("hours", "score")),
        (rows("\t", decimal=","), ("x", "y")),
        (rows(";"), ("x", "y")),
        (f'"hours, spent","score ""of"" 100"\n{rows(", ")}', ("hours, spent", 'score "of" 100')),
        (f'"two\nlines",score\n{rows()}', ("two\nlines", "score")),
        (f"# hours,score\n{rows()}", ("hours", "score")),
        (f"sep=;\nhours;score\n{rows(';')}", ("hours", "score")),
        (rows(" "), ("x", "y")),
        (f"# hours score\n{rows('   ')}", ("hours", "score")),
        (f"  hours  score\r\n{rows('  ', f' {chr(13)}{chr(10)}  ')}", ("hours", "score")),
        (f'"hours spent" score\n{rows("  ", decimal=",")}', ("hours spent", "score")),
        ("date,hours,score\n" + "".join(f"2020-01-01 00:00,{x},{y}\n" for x, y in ROWS),
         ("hours", "score")),
        (f"hours,score,\n\n{rows(',', f',{chr(10)}')}\n,,\n", ("hours", "score")),
        (f"\n hours , score\n{rows()}   \n\n", ("hours", "score")),
        ("name,hours,score\n" + "".join(f"A{n},{x},{y}\n" for n, (x, y) in enumerate(ROWS)),
         ("hours", "score")),
        ("hours,score\n" + "".join(f'"{x:.3e}","+{y}"\n' for x, y in ROWS), ("hours", "score")),
        ("hours,score,remark\n" + "".join(f"{x},{y},a; b\n" for x, y in ROWS),
         ("hours", "score")),
        ('"hours","score"\n' + "".join(f'"{x}","{y}"\n'.replace(".", ",") for x, y in ROWS),
         ("hours", "score")),
        (",".join(f"c{n}" for n in range(98)) + ",hours,score\n"
         + "".join("a," * 98 + f"{x},{y}\n" for x, y in ROWS), ("hours", "score")),
    ],
)  # fmt: skip
def test_files_as_people_have_them(tmp_path, data: str, names: tuple[str, str]) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(data.encode())
    columns = read_columns(path)
    assert (columns.x_name, columns.y_name) == names
    np.testing.assert_array_equal(columns.x, HOURS)
    np.testing.assert_array_equal(columns.y, SCORE)
    assert columns.x.dtype == np.float64


@pytest.mark.parametrize("data", ["2019,3\n2020,4\n", "2019,1990\n2020,1991\n1,2\n"])
def test_years_are_data_where_others_are_there(tmp_path, data: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(data)
    assert read_columns(path).x[0] == 2019


def test_what_numpy_writes_is_read(tmp_path) -> None:
    path = tmp_path / "points.txt"
    np.savetxt(path, ROWS, header="hours score")
    columns = read_columns(path)
    assert (columns.x_name, columns.y_name) == ("hours", "score")
    np.testing.assert_array_equal(columns.x, HOURS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_names_in_the_encodings_of_spreadsheets(tmp_path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"größe;weg\n{rows(';')}".encode(encoding))
    assert read_columns(path).x_name == "größe"


def test_columns_by_name_and_number(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,score,hours,2\n" + "".join(f"a,{y},{x},7\n" for x, y in ROWS))
    path.write_text(path.read_text().replace("hours,2", "hours,two"))
    for x, y in (("hours", "score"), (3, 2), ("3", "score")):
        columns = read_columns(path, x, y)
        np.testing.assert_array_equal(columns.x, HOURS)
        np.testing.assert_array_equal(columns.y, SCORE)
        assert (columns.x_name, columns.y_name) == ("hours", "score")


@pytest.mark.parametrize(
    ("data", "chosen", "said"),
    [
        ("", (), "no lines of data"),
        ("hours,score\n", (), "a header and no lines"),
        ("hours\n1\n2\n", (), r"and 1 are there \(hours\)"),
        ("a,b,c\n1,2,3\n2,3,4\n", (), r"and 3 are there \(a, b, c\); choose x and y"),
        ("a,b\n1,2\n2,3\n", ("a", "z"), "no column 'z'; choose from 'a, b'"),
        ("a,b\n1,2\n2,3\n", ("a", 3), "no column 3"),
        ("a,b\n1,2\n2,3\n", ("a", 0), "no column 0"),
        ("a,b\n1,2\n2,3\n", ("a", 1), "both column a"),
        ("a,b\n1,2\n2,3\n", ("a",), "only one column"),
        ("a,a\n1,2\n2,3\n", ("a", 2), "several columns a"),
        ("a,b\n1,2\n2,high\n", (), r"line 3, column b: 'high' is not a number"),
        ("a,b\n1,2\n\n2,\n", (), r"line 4, column b: the value is missing"),
        ("a,b\n1,2\n2\n", (), r"line 3, column b: the value is missing"),
        ("a,b\n1,2\nnan,3\n", (), r"line 3, column a: 'nan' is not finite"),
        ("a,b\n1,2\n3,-Inf\n", (), r"line 3, column b: '-Inf' is not finite"),
        ("a,b\n1,2\n3,1e400\n", (), r"line 3, column b: '1e400' is too large"),
        ("a,b\n1,2\n3,1_000\n", (), r"'1_000' is not a number"),
        ("a,b\n1,2\n3,4,5\n", (), r"line 3: 3 cells, and line 1 has 2.*decimals by points"),
        ('a,b\n1,"2\n3,4\n', (), r"line 3"),
        ('a,b\n"1,234","5,678"\n', (), r"line 2, column a: '1,234' may have a decimal comma or"),
        ("a;b\n1,5;2.5\n2,5;3,5\n", (), r"line 2, column b: '2.5' has a point, and others"),
        ("Anna,1,2\nBen,2,3\n", (), r"line 1, column 1: 'Anna' beside numbers"),
        ("2019,2020\n1.5,2\n3,4\n", (), r"line 1: '2019, 2020' are years, and no other"),
        ("a,b\n3,1\n3,2\n", (), "column a: all 2 values are 3"),
        ("a,b\n3,1\n", (), "column a: all 1 values are 3"),
        ("a,b\n1e39,1\n2,3\n", (), r"column a: 1e\+39 is too large for float32"),
        ("a,b\n1700000001,1\n1700000002,3\n", (), "differ too little.*subtract their mean"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(tmp_path, data, chosen, said) -> None:
    path = tmp_path / "points.csv"
    path.write_text(data)
    with pytest.raises(InputError, match=said) as raised:
        Line.read_csv(path, *chosen)
    assert len(str(raised.value)) < 400


def test_files_that_are_no_table(tmp_path) -> None:
    with pytest.raises(InputError, match="Is a directory"):
        Line.read_csv(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        Line.read_csv(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InputError):
        Line.read_csv(tmp_path / "a.csv")


@pytest.mark.slow
def test_a_million_rows_are_read(tmp_path) -> None:
    values = np.random.default_rng(0).normal(size=(1_000_000, 2)).round(6)
    buffer = io.StringIO()
    buffer.write("hours;score\n")
    buffer.writelines(f"{x};{y}\n" for x, y in values.tolist())
    path = tmp_path / "large.csv"
    path.write_text(buffer.getvalue())
    columns = read_columns(path, "hours", "score")
    np.testing.assert_array_equal(np.column_stack([columns.x, columns.y]), values)


def test_more_rows_than_can_be_trained_are_refused(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text(rows())
    monkeypatch.setattr(validation, "MOST_POINTS", 5)
    with pytest.raises(InputError, match="6 lines of data; give at most 5"):
        read_columns(path)


# Standardized


@pytest.fixture
def line(tmp_path) -> Line:
    """A line of years, far from 0, and of small slopes."""
    generator = np.random.default_rng(5)
    years = np.arange(1950, 2020).astype(float)
    degrees = 14 + 0.012 * (years - 1950) + generator.normal(0, 0.08, 70)
    path = tmp_path / "points.csv"
    table = "".join(f"{x:.0f},{float(y)!r}\n" for x, y in zip(years, degrees, strict=True))
    path.write_text("year,temperature\n" + table)
    line = Line.read_csv(path)
    line.__dict__["of_file"] = (years, degrees)
    return line


def test_a_standardized_line_is_the_problem_that_numpy_has(line) -> None:
    x, y = line.__dict__["of_file"]
    assert (line.x_name, line.y_name) == ("year", "temperature")
    np.testing.assert_array_equal(line.x, x.astype(np.float32))
    np.testing.assert_array_equal(line.y, y.astype(np.float32))
    z, t = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    np.testing.assert_array_equal(line.training_x, z.astype(np.float32))
    np.testing.assert_allclose(line.hessian, np.diag([2, 2]), atol=1e-6)
    assert line.stability_limit == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(line.best_weights, np.polyfit(z, t, 1), atol=1e-6)
    assert line.start.tolist() == [-1, 1]
    weights = np.array([[0.3, -0.2], [1.5, 4.0]])
    expected = [np.mean((slope * z + bias - t) ** 2) for slope, bias in weights]
    np.testing.assert_allclose(line.loss(weights), expected, rtol=1e-6)


def test_weights_in_user_units_give_the_same_line(line) -> None:
    x, y = line.__dict__["of_file"]
    slope, bias = line.in_user_units(line.best_weights)
    np.testing.assert_allclose(slope * x + bias, np.polyval(np.polyfit(x, y, 1), x), rtol=1e-6)
    grid = np.array([[[0.5, 1.0], [-1.0, 1.0]], [[2.0, 0.0], [0.0, 0.0]]])
    z = (x - x.mean()) / x.std()
    lines = (grid[..., :1] * z + grid[..., 1:]) * y.std() + y.mean()
    assert line.in_user_units(grid).shape == grid.shape
    np.testing.assert_allclose(line.predict(grid, x), lines, rtol=1e-9)
    user = line.in_user_units(grid)
    np.testing.assert_allclose(user[..., :1] * x + user[..., 1:], lines, rtol=1e-9)
    assert np.isnan(line.in_user_units([np.inf, np.inf])).any()
    plain = Line(x, y)
    np.testing.assert_array_equal(plain.in_user_units([[1.0, 2.0]]), [[1.0, 2.0]])


def test_training_is_plain_descent_on_the_standardized_data(line) -> None:
    x, y = line.__dict__["of_file"]
    z, t = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    slow, fast, past = train(line, [0.1, 0.45, 1.01], epochs=100)
    weights = np.array([-1.0, 1.0])
    for epoch in range(30):
        np.testing.assert_allclose(slow.weights[epoch], weights, atol=1e-5)
        residual = weights[0] * z + weights[1] - t
        assert slow.losses[epoch] == pytest.approx(np.mean(residual**2), rel=1e-4)
        weights = weights - 0.1 * np.array([2 * np.mean(residual * z), 2 * np.mean(residual)])
    assert [run.diagnosis.verdict for run in (slow, fast, past)] == [
        "converged", "converged", "diverging"
    ]  # fmt: skip
    assert (np.diff(past.losses) > 0).all()


def test_the_equation_has_the_digits_that_the_data_need(line) -> None:
    x, y = line.__dict__["of_file"]
    slope, bias = np.polyfit(x, y, 1)
    sign = "−" if bias < 0 else "+"
    equation = line.equation(line.best_weights)
    assert equation == f"y = {slope:.6f} x {sign} {abs(bias):.3f}"
    told = float(f"{slope:.6f}") * x + float(f"{bias:.3f}")
    assert np.abs(told - np.polyval([slope, bias], x)).max() < 0.01 * y.std()
    assert line.equation([np.inf, 0]) == "no finite line"


def test_without_standardizing_the_data_are_trained_on_as_they_are(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"hours,score\n{rows()}")
    line = Line.read_csv(path, standardize=False, start=(0, 50))
    assert (line.x_name, line.start.tolist()) == ("hours", [0, 50])
    np.testing.assert_allclose(line.best_weights, np.polyfit(HOURS, SCORE, 1))
    design = np.column_stack([HOURS, np.ones(6)])
    np.testing.assert_allclose(line.hessian, 2 / 6 * design.T @ design)


def test_the_condition_number_tells_the_epochs_that_training_needs(tmp_path) -> None:
    path = tmp_path / "a.csv"
    generator = np.random.default_rng(0)
    for highest in (3, 100):
        x = generator.uniform(0, highest, 200)
        y = 3 + 0.2 * x + generator.normal(0, 1, 200)
        path.write_text("".join(f"{a},{b}\n" for a, b in zip(x.tolist(), y.tolist(), strict=True)))
        line = Line.read_csv(path, standardize=False)
        design = np.column_stack([x, np.ones(200)])
        least, most = np.linalg.eigvalsh(2 / 200 * design.T @ design)
        assert line.condition_number == pytest.approx(most / least, rel=1e-4)
        error = np.array([1.0, 1.0])  # in the eigenbasis
        factors = 1 - 2 / (least + most) * np.array([least, most])
        epochs = line.epochs_at_best_lr
        before, after = (np.hypot(*(error * factors**n)) for n in (epochs - 1, epochs))
        assert after <= 0.01 * np.hypot(*error) < before * (1 + 1e-4)
        if highest == 3:
            (run,) = train(line, line.best_lr, epochs=2 * epochs)
            assert run.diagnosis.converged_at == pytest.approx(epochs, abs=1)
    assert 12_000 < line.condition_number < 20_000
    told = f"{line.condition_number:,.0f}, {epochs:,} epochs at the fastest rate"
    assert repr(line).endswith(f"condition number {told})")
    standardized = Line.read_csv(path)
    assert standardized.condition_number == pytest.approx(1, abs=1e-5)
    assert standardized.epochs_at_best_lr == 1


def test_equal_y_are_a_horizontal_line(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,0.1\n2,0.1\n4,0.1\n")
    line = Line.read_csv(path)
    np.testing.assert_allclose(line.in_user_units(line.best_weights), [0, 0.1], atol=1e-6)


# Drawn in the reader's units


def test_the_drawn_line_and_the_drawn_data_agree(line) -> None:
    x, y = line.__dict__["of_file"]
    (run,) = train(line, lrs=0.1, epochs=60)
    scene = Scene(run, ["fit", "weights"], (900, 500))
    scene.draw(60)
    axes = scene.figure.axes[0]
    (moving,) = (one for one in axes.lines if one.get_zorder() == 4)
    (best,) = (one for one in axes.lines if one.get_label() == "best fit")
    points = next(one for one in axes.lines if one.get_marker() == "o")
    np.testing.assert_allclose(points.get_xdata(), x, rtol=1e-6)
    np.testing.assert_allclose(points.get_ydata(), y, rtol=1e-6)
    expected = np.polyval(np.polyfit(x, y, 1), moving.get_xdata())
    for drawn in (moving, best):
        np.testing.assert_allclose(drawn.get_ydata(), expected, rtol=1e-4)
    (heading,) = pictures.headings(scene)
    assert heading.verdict.get_text().startswith("✓ converged")
    words = " ".join(one.get_text() for one in scene.figure.findobj(plt.Text))
    assert "standardized slope" in words


@pytest.mark.parametrize("view", ["data", "bowl", "surface", "landscape", "loss"])
def test_every_view_draws_a_standardized_line(line, view: str) -> None:
    runs = train(line, [0.1, 1.01], epochs=10)
    scene = Scene(runs, [view], (900, 500))
    scene.draw(10)
    words = " ".join(one.get_text() for one in scene.figure.findobj(plt.Text))
    assert ("standardized" in words) == (view in ("surface", "landscape", "loss"))


def test_an_overflow_is_drawn_without_a_warning(line, tmp_path) -> None:
    runs = train(line, [5, 1e30], epochs=100)
    Animation(runs, ["fit", "weights"], (640, 360)).save(tmp_path / "a.png", at=100)
    assert (tmp_path / "a.png").stat().st_size > 5_000


def test_a_page_refuses_what_it_would_train_otherwise(line) -> None:
    with pytest.raises(InputError, match="standardized data"):
        page(train(line, lrs=0.1, epochs=10))


def test_a_report_and_an_npz_hold_the_data(line, tmp_path) -> None:
    runs = train(line, [0.1, 1.01], epochs=10)
    path = tmp_path / "run.json"
    path.write_text(text(report({}, runs, [])))
    (tmp_path / "points.csv").unlink()
    runs[0].save(tmp_path / "run.npz")
    for again in (load_report(path)[0], load(tmp_path / "run.npz")):
        problem = again.problem
        assert (problem.x_name, problem.y_name) == ("year", "temperature")
        for name in ("x", "y", "training_x", "training_y", "best_weights"):
            np.testing.assert_array_equal(getattr(problem, name), getattr(line, name))
        np.testing.assert_array_equal(problem.in_user_units([1, 2]), line.in_user_units([1, 2]))
        np.testing.assert_array_equal(train(problem, lrs=0.1, epochs=10)[0].weights, again.weights)
        assert again.diagnosis == runs[0].diagnosis


def test_captions_name_the_columns_and_say_that_the_loss_is_of_standardized_data(tmp_path) -> None:
    path = tmp_path / "points.csv"
    path.write_text('hours,"a name of many words, $x$"\n1,2\n2,3\n4,9\n')
    runs = train(Line.read_csv(path), [0.1], epochs=3)
    scene = Scene(runs, ["fit", "loss"])
    texts = {text.get_text() for text in scene.figure.findobj(Text)}
    assert "the line at this epoch, a name of many w… against hours" in texts
    assert "standardized loss against epoch (log)" in texts
