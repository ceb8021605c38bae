"""Checking: rule files and what lies beside them, read and held against each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from console.files import contents, in_folder
from kairos.instants import Millis
from rules.book import Book, Loaded, load
from rules.costly import costly
from rules.known import Known, load_apps, load_names
from rules.policy import Policy, load_policy
from rules.pools import load_pools
from rules.problems import Problem, by_place
from rules.template_checks import load_templates
from rules.template_fit import Beside, unfit
from rules.warnings import warned

__all__ = ["BESIDE", "Checked", "beside", "check_files", "rule_texts"]

BESIDE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "policy": "policy.yaml",
        "pools": "pools.yaml",
        "apps": "apps.json",
        "names": "names.yaml",
        "templates": "templates.yaml",
    }
)
"""What rules are held against, where it lies in their folder or beside it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of some files.

    Parameters
    ----------
    problems
        What is in the way of a book; without any there is a book.
    book, policy
        What was read.
    contents
        What is published of the rules, and of those files that were named.
    loaded
        The rules with their places.

    """

    problems: Sequence[Problem]
    book: Book | None
    policy: Policy | None
    contents: Mapping[str, bytes]
    loaded: Loaded

    def warnings(self, now: Millis) -> tuple[Problem, ...]:
        """Say what is odd about rules that have no mistakes."""
        if self.book is None:
            return ()
        odd = (*warned(self.book.rules.values(), self.policy or Policy.default(), now), *costly(self.book))
        return by_place(self.loaded.at(each.rule, each.path, f"warning: {each.what}") for each in odd)


def check_files(rules: Path, named: Mapping[str, Path | None]) -> Checked:
    """Check the rules of a folder, or of one file.

    Parameters
    ----------
    rules
        The folder or the file.
    named
        Other files by their kind, see `BESIDE`. A kind without one is looked for in the folder, then beside it; it is
        checked against, but not published.

    """
    problems: list[Problem] = []
    texts = rule_texts(rules, problems)
    paths = {kind: named.get(kind) or beside(rules, kind) for kind in BESIDE}
    found: dict[str, bytes] = {}
    others = {kind: (str(path), _text(path, problems)) for kind, path in paths.items() if path is not None}
    pools = apps = names = policy = templates = None
    for kind, (file, text) in others.items():
        if text is None:
            continue
        wrong: Sequence[Problem] = ()
        if kind == "pools":
            loaded = load_pools(text, file)
            pools, found[kind], wrong = loaded.pools, loaded.content, loaded.problems
        elif kind == "apps":
            apps, wrong = load_apps(text, file)
            found[kind] = b"" if apps is None else apps.model_dump_json().encode()
        elif kind == "names":
            names, wrong = load_names(text, file)
        elif kind == "templates":
            read_ = load_templates(text, file)
            templates, wrong = read_.templates, read_.problems
            found[kind] = b"" if templates is None else templates.content
        else:
            read = load_policy(text, file)
            policy, wrong = (None, read) if isinstance(read, tuple) else (read, ())
            found[kind] = b"" if policy is None else policy.content
        problems += wrong
    known = Known.of(pools, names, apps)
    book = load(texts, known)
    problems += book.problems
    if templates is not None or "templates" not in others:
        problems += _unfit(book, Beside(templates, known.pools, known.attributes))
    published = {kind: content for kind, content in found.items() if named.get(kind) is not None}
    if book.book is not None:
        published["rules"] = book.book.content
    return Checked(problems, book.book, policy, published, book)


def _unfit(loaded: Loaded, beside: Beside) -> Iterator[Problem]:
    """Say where the templates cannot say what a rule wants said."""
    for rule in loaded.book.rules.values() if loaded.book else ():
        for path, what in unfit(rule, beside):
            yield loaded.at(rule.id, path, what)


def rule_texts(rules: Path, problems: list[Problem]) -> dict[str, bytes]:
    """Read the rule files and tables of a folder, or a file and the tables beside it; adds to the problems."""
    if not rules.is_dir():
        text = _text(rules, problems)
        # What is wrong with other files beside this one is not its fault.
        return in_folder(rules.parent, ".csv")[0] | ({} if text is None else {str(rules): text})
    texts, wrong = in_folder(rules, ".yaml", ".yml", ".csv", but=tuple(BESIDE.values()))
    problems += wrong
    if not texts and not wrong:
        problems.append(Problem(str(rules), 1, 1, "no rule file (*.yaml) in this folder"))
    return texts


def beside(rules: Path, kind: str) -> Path | None:
    """Give the file of a kind that lies in the folder of the rules, or beside it."""
    name = BESIDE[kind]
    folder = rules if rules.is_dir() else rules.parent
    return next((path for path in (folder / name, folder.parent / name) if path.exists()), None)


def _text(path: Path, problems: list[Problem]) -> bytes | None:
    found = contents(path)
    if isinstance(found, Problem):
        problems.append(found)
        return None
    return found
