"""
Mutation tests: faults that the tests must find.

`mutants.toml` lists the faults. Each one replaces a piece of the code in a temporary copy of the
tree, where the tests named for it are run. The mutant is killed if one of them fails, and survives
if all pass. Exits with 1 if a mutant survives, no longer applies, or breaks its tests otherwise.
"""

import argparse
import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "scripts" / "mutants.toml"
TIMEOUT = 300  # seconds for the tests of one mutant
TESTS_FAILED = 1  # pytest's exit code


@dataclass(frozen=True)
class Mutant:
    """
    A fault in the code.

    Attributes
    ----------
    name : str
    file : str
        Relative to the root.
    old, new : str
        What is in the file exactly once, and what replaces it.
    tests : list of str
        Test files or single tests, as pytest takes them.
    breaks : str
        What a user would see.
    """

    name: str
    file: str
    old: str
    new: str
    tests: list[str]
    breaks: str

    @property
    def problem(self) -> str:
        """Why it cannot be applied, or an empty string."""
        path = ROOT / self.file
        if not path.is_file():
            return f"{self.file} is missing"
        if self.old == self.new:
            return "it changes nothing"
        found = path.read_text().count(self.old)
        return "" if found == 1 else f"its old text is {found} times in {self.file}, not once"


def main() -> int:
    """Run the mutants that were asked for and print a line for each."""
    options = parsed()
    mutants = [Mutant(**entry) for entry in tomllib.loads(LIST.read_text())["mutant"]]
    names = [mutant.name for mutant in mutants]
    if repeated := {name for name in names if names.count(name) > 1}:
        sys.exit(f"mutants of the same name: {', '.join(sorted(repeated))}")
    chosen = [m for m in mutants if not options.name or any(n in m.name for n in options.name)]
    if not chosen:
        sys.exit(f"no mutant is called that; there are: {', '.join(names)}")
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.jobs):
            copies.put(copied(Path(folder, str(number))))

        def outcome(mutant: Mutant) -> tuple[str, str]:
            if mutant.problem:
                return "DOES NOT APPLY", mutant.problem
            copy = copies.get()
            try:
                return tried(mutant, copy, options.tests or mutant.tests)
            finally:
                copies.put(copy)

        copy = copies.get()
        tests = {test: None for mutant in chosen for test in options.tests or mutant.tests}
        code, output = tested(copy, list(tests))
        if code:
            sys.exit(f"{output}\nwithout any mutant, the tests do not pass")
        copies.put(copy)
        outcomes = []
        with ThreadPoolExecutor(options.jobs) as pool:
            for mutant, (word, detail) in zip(chosen, pool.map(outcome, chosen), strict=True):
                outcomes.append(word)
                print(f"{word:14}  {mutant.name}: {detail}", flush=True)
    counts = {word: outcomes.count(word) for word in dict.fromkeys(outcomes)}
    print(", ".join(f"{count} {word.lower()}" for word, count in counts.items()))
    return set(outcomes) != {"killed"}


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="Put faults into the code and run its tests.")
    parser.add_argument("name", nargs="*", help="only mutants with this in their name")
    parser.add_argument("--tests", nargs="+", help="tests to run instead of those in the list")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once (default: 2)")
    return parser.parse_args()


def copied(folder: Path) -> Path:
    """Copy all files that git knows or would add to `folder`, and return it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    # Checked by their content: a mutant may be as long as the original, and of the same second.
    by_content = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder / "animate", quiet=2, invalidation_mode=by_content)
    return folder


def tried(mutant: Mutant, copy: Path, tests: Sequence[str]) -> tuple[str, str]:
    """Apply `mutant` in `copy`, run `tests` there, and return a word and a line of detail."""
    path = copy / mutant.file
    text = path.read_text()
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        code, output = tested(copy, tests)
    finally:
        path.write_text(text)
    if code == 0:
        return "SURVIVED", mutant.breaks
    failed = re.search(r"^FAILED (\S+)", output, re.MULTILINE)
    if code == TESTS_FAILED and failed:
        return "killed", failed[1]
    return "BROKE", f"pytest ended with {code}: {(output.strip().splitlines() or [''])[-1]}"


def tested(copy: Path, tests: Sequence[str]) -> tuple[int | None, str]:
    """Run `tests` in `copy` up to the first failure; return pytest's exit code and output."""
    command = [
        sys.executable, "-P", "-m", "pytest", "--rootdir", str(copy), "-c",
        str(copy / "pyproject.toml"), "-x", "--tb=short", "-p", "no:cacheprovider", *tests,
    ]  # fmt: skip
    surroundings = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=surroundings, capture_output=True, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return None, f"not finished after {TIMEOUT} seconds"
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
