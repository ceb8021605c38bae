"""The house's measures: short files, short functions, links that lead somewhere, commands that exist, sound locks."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.command_words import unknown_word

ROOT = Path(__file__).parent.parent
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
    "packages"
]
SOURCES = sorted(
    path
    for name in [*PACKAGES, "tests", "examples", "bench"]
    for path in (ROOT / name).rglob("*.py")
    # A peer of the benchmarks has an environment of its own in there.
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
PROSE = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROSE += sorted((ROOT / "examples").rglob("*.md")) + sorted((ROOT / "tests").rglob("*.md"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

LONGEST_FILE = 300
LONGEST_FUNCTION = 60

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[a-z,]+\])?==(?P<version>[^\s;]+)( ; [^\\]+)? \\$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def canonical(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[=<>!~;]", requirement.strip(), maxsplit=1)[0]).lower()


def requirements(path: Path) -> Iterator[str]:
    """What is asked for in an *.in file, without comments and without the files it includes."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith(("#", "-")):
            yield line


def test_no_file_is_longer_than_a_person_reads() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                # A docstring says much of a short function; only what runs is counted.
                length = node.end_lineno - node.lineno + 1 - _docstring(node)
                if length > LONGEST_FUNCTION:
                    found[f"{name_of(path)}:{node.name}"] = length

    assert found == {}


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    is_text = ast.get_docstring(node, clean=False) is not None and first.end_lineno is not None
    return (first.end_lineno or 0) - first.lineno + 1 if is_text else 0


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is(package: str) -> None:
    silent = [
        name_of(path)
        for path in sorted((ROOT / package).rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


@pytest.mark.parametrize("page", PROSE, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:", link)]

    lost = [link for link in links if not _leads_somewhere(page, *link.partition("#")[::2])]

    assert lost == []


def _leads_somewhere(page: Path, file: str, heading: str) -> bool:
    target = page.parent / file if file else page
    if not heading or target.suffix != ".md":
        return target.exists()
    text = re.sub(r"```.*?```", "", target.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return heading in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def named_commands(text: str) -> list[str]:
    """Each `kairos ...` in a code span, and each line of a code block that runs it."""
    blocks = re.findall(r"```[a-z]*\n(.*?)```", text, flags=re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    found = [re.sub(r"^([A-Z_]+=\S+ )*(\S*/bin/)?(?=kairos )", "", line) for line in [*lines, *spans]]
    return [line.removeprefix("kairos ") for line in found if re.match(r"kairos [a-z-]", line)]


@pytest.mark.parametrize("page", PROSE, ids=name_of)
def test_every_command_that_is_named_exists(page: Path) -> None:
    unknown = {}
    for command in named_commands(page.read_text(encoding="utf-8")):
        said = re.split(r"\s(?:#|\||>|&&)", command)[0].replace("[", "").replace("]", "").replace("...", "")
        for words in _alternatives(shlex.split(said)):
            if (word := unknown_word(words)) is not None:
                unknown[command] = word

    assert unknown == {}


def _alternatives(words: list[str]) -> Iterator[list[str]]:
    """Give each command that `rules check|publish` stands for."""
    place = next((number for number, word in enumerate(words) if "|" in word), None)
    if place is None:
        yield words
        return
    for choice in words[place].split("|"):
        yield from _alternatives([*words[:place], choice, *words[place + 1 :]])


def test_what_commands_keep_beside_a_log_is_not_committed_by_accident() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    kept = {name for page in PROSE for name in re.findall(r"`LOG(\.\w+)\.npz`", page.read_text(encoding="utf-8"))}

    assert kept == {".backtest", ".columns"}
    # While it is written, it is a part.
    names = [f"log.jsonl.gz{name}{part}.npz" for name in kept for part in ("", ".part")]
    assert [name for name in names if not any(fnmatch(name, pattern) for pattern in ignored)] == []


def test_commands_are_found_in_prose() -> None:
    text = (
        "Run `kairos rules check|publish DIR`:\n\n```sh\n$ KAIROS_X=1 .venv/bin/kairos topics  # once\nmake demo\n```\n"
    )

    assert named_commands(text) == ["topics  # once", "rules check|publish DIR"]


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_every_requirement_is_pinned_and_hashed_and_names_no_registry(lock: Path) -> None:
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]

    odd = [line for line in lines if not (_PIN.match(line) or _HASH.match(line))]
    unhashed = [
        line for line, below in zip(lines, [*lines[1:], ""], strict=True) if _PIN.match(line) and not _HASH.match(below)
    ]

    assert lines
    assert (odd, unhashed) == ([], [])


@pytest.mark.parametrize("file", sorted((ROOT / "requirements").iterdir()), ids=name_of)
def test_no_address_stands_in_a_requirements_file(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert not re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|@ ", text)


@pytest.mark.parametrize("name", [path.stem for path in LOCKS])
def test_what_is_asked_for_is_locked(name: str) -> None:
    asked = {canonical(line) for line in requirements(ROOT / "requirements" / f"{name}.in")}
    pins = map(_PIN.match, (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines())

    assert asked - {canonical(pin["name"]) for pin in pins if pin} == set()


def test_one_package_has_one_version_in_all_locks() -> None:
    found: dict[str, set[str]] = {}
    for lock in LOCKS:
        for pin in filter(None, map(_PIN.match, lock.read_text(encoding="utf-8").splitlines())):
            if not pin[0].rstrip(" \\").partition(" ; ")[2]:
                found.setdefault(canonical(pin["name"]), set()).add(pin["version"])

    assert {name: versions for name, versions in found.items() if len(versions) > 1} == {}


def test_decisions_are_numbered_each_by_its_own_number() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]

    assert numbers == list(range(1, len(pages) + 1))
    for number, page in zip(numbers, pages, strict=True):
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. "), page
