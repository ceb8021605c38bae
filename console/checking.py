"""Checking: rule files and what lies beside them, read and held against each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from console.files import contents, in_folder
from console.levers import Levers, read_levers
from kairos.apps import AppsFile
from kairos.instants import Millis
from kairos.offers import CouponPool
from rules.book import Book, Loaded, load
from rules.costly import costly
from rules.known import Known, NamesFile, load_apps, load_names
from rules.policy import Policy, load_policy
from rules.pools import load_pools
from rules.problems import Problem, by_place
from rules.template_checks import load_templates
from rules.template_fit import Beside, unfit
from rules.templates import Templates
from rules.warnings import warned

__all__ = ["BESIDE", "Checked", "beside", "check_files", "rule_texts"]

BESIDE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "policy": "policy.yaml",
        "pools": "pools.yaml",
        "apps": "apps.json",
        "names": "names.yaml",
        "templates": "templates.yaml",
        "priorities": "priorities.yaml",
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
    levers
        The priorities, where there are any.

    """

    problems: Sequence[Problem]
    book: Book | None
    policy: Policy | None
    contents: Mapping[str, bytes]
    loaded: Loaded
    levers: Levers | None = None

    def warnings(self, now: Millis) -> tuple[Problem, ...]:
        """Say what is odd about rules that have no mistakes."""
        if self.book is None:
            return ()
        odd = (*warned(self.book.rules.values(), self.policy or Policy.default(), now), *costly(self.book))
        found = [self.loaded.at(each.rule, each.path, f"warning: {each.what}") for each in odd]
        return by_place([*found, *(self.levers.warnings(now) if self.levers else ())])


def check_files(rules: Path, named: Mapping[str, Path | None]) -> Checked:
    """Check the rules of a folder, or of one file.

    Parameters
    ----------
    rules
        The folder or the file.
    named
        Other files by their kind, see `BESIDE`. A kind without one is looked for in the folder, then beside it; it is
        checked against, but not published. Priorities are asked only where they are among the kinds here.

    """
    problems: list[Problem] = []
    texts = rule_texts(rules, problems)
    # Who merely runs rules asks nothing of priorities; only who checks or publishes both does.
    asked = (kind for kind in BESIDE if kind != "priorities" or kind in named)
    paths = {kind: named.get(kind) or beside(rules, kind) for kind in asked}
    others = {kind: (str(path), _text(path, problems)) for kind, path in paths.items() if path is not None}
    read = _Read()
    for kind, (file, text) in others.items():
        problems += () if text is None else read.take(kind, file, text)
    known = Known.of(read.pools, read.names, read.apps)
    book = load(texts, known)
    problems += book.problems
    if read.templates is not None or "templates" not in others:
        problems += _unfit(book, Beside(read.templates, known.pools, known.attributes))
    levers = read.levers
    if levers is not None and book.book is not None and rules.is_dir():
        # A file alone is not the whole book: what its levers name may stand in the others.
        levers = levers.beside(book.book, known.pools)
        problems += levers.problems()
    published = {kind: content for kind, content in read.contents.items() if named.get(kind) is not None}
    if book.book is not None:
        published["rules"] = book.book.content
    return Checked(problems, book.book, read.policy, published, book, levers)


@dataclass(slots=True)
class _Read:
    """What was read of the files beside the rules, and what is published of each; what has mistakes is None."""

    pools: tuple[CouponPool, ...] | None = None
    apps: AppsFile | None = None
    names: NamesFile | None = None
    policy: Policy | None = None
    templates: Templates | None = None
    levers: Levers | None = None
    contents: dict[str, bytes] = field(default_factory=dict)

    def take(self, kind: str, file: str, text: bytes) -> Sequence[Problem]:
        """Read one file, and give its mistakes."""
        match kind:
            case "pools":
                loaded = load_pools(text, file)
                self.pools, self.contents[kind] = loaded.pools, loaded.content
                return loaded.problems
            case "apps":
                self.apps, wrong = load_apps(text, file)
                self.contents[kind] = b"" if self.apps is None else self.apps.model_dump_json().encode()
                return wrong
            case "names":
                self.names, wrong = load_names(text, file)
                return wrong
            case "templates":
                read = load_templates(text, file)
                self.templates = read.templates
                self.contents[kind] = b"" if read.templates is None else read.templates.content
                return read.problems
            case "priorities":
                levers = read_levers(file, text)
                if isinstance(levers, tuple):
                    return levers
                self.levers, self.contents[kind] = levers, levers.priorities.content
            case _:
                policy = load_policy(text, file)
                if isinstance(policy, tuple):
                    return policy
                self.policy, self.contents[kind] = policy, policy.content
        return ()


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
