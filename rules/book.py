"""The book: all rules in force at once, read from files or from what was published, ready to be asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType

from kairos.customer import Customer, Standing
from kairos.events import Event
from kairos.ids import content_hash
from rules.canonical import canonical, parsed, split
from rules.check import validated
from rules.clauses import Clauses, clauses_of
from rules.compile import Compiled, Ender, Matcher, Watcher, enders, find, matchers, watchers
from rules.features import Feature, together
from rules.judged import EVER, Seen
from rules.known import Known
from rules.lookup import unknown_names
from rules.problems import MOST_PROBLEMS, Place, Problem, bounded, by_place, shown
from rules.schema import Published, Rule, RuleFile, Status
from rules.table import has_table, spread_out
from rules.yaml_reader import Tree, read

__all__ = ["MOST_RULES", "Book", "Loaded", "load", "read_file"]

MOST_RULES = 10_000
"""The largest book."""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """A set of rules; it never changes, another one takes its place.

    Parameters
    ----------
    content
        The published form: the rules in their normal form as canonical JSON, without their tests.
    hash
        The content's name.
    rules
        The rules by their ids, in the ids' order.
    features
        What the rules look back on, by its key: drafts' features are among them, so that they start warm.
    clauses, matchers, watchers, enders
        What was compiled, and of what: the next book takes over what has not changed.

    """

    content: bytes
    hash: str
    rules: Mapping[str, Rule]
    features: Mapping[str, Feature] = field(repr=False)
    clauses: Mapping[str, Clauses] = field(repr=False)
    matchers: Compiled[Matcher] = field(repr=False)
    watchers: Compiled[Watcher] = field(repr=False)
    enders: Compiled[Ender] = field(repr=False)

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "Book":
        """Make the book of some rules, whose ids are all different."""
        ordered = tuple(sorted(rules, key=lambda rule: rule.id))
        return cls._made(canonical(Published(format=1, rules=ordered)), ordered)

    @classmethod
    def of_content(cls, content: bytes, before: "Book | None" = None) -> "Book":
        """Make the book from its published form, as workers do.

        Parameters
        ----------
        content
            The published form.
        before
            The book in force: the rules that stand in both are neither read nor compiled again.

        Raises
        ------
        ValueError
            The content is no published book.

        """
        # The name is the hash of these bytes, even where a later version would write them differently.
        written = None if before is None or not before.rules else split(content)
        if before is None or written is None or len(written) > MOST_RULES:
            return cls._made(content, parsed(content, Published).rules)
        known = dict(zip(split(before.content) or (), before.rules.values(), strict=True))
        new = [one for one in written if one not in known]
        # The same reader as for a whole book, so that nothing gets in that it would refuse.
        found = parsed(b'{"format":1,"rules":[%s]}' % b",".join(new), Published).rules
        known.update(zip(new, found, strict=True))
        return cls._made(content, tuple(known[one] for one in written), before)

    @classmethod
    def empty(cls) -> "Book":
        """Make the book without rules.

        Examples
        --------
        >>> Book.empty().content
        b'{"format":1,"rules":[]}'

        """
        return cls.of(())

    @classmethod
    def _made(cls, content: bytes, rules: tuple[Rule, ...], before: "Book | None" = None) -> "Book":
        by_id = {rule.id: rule for rule in rules}
        if len(by_id) != len(rules):
            raise ValueError("two rules of the book have the same id")
        old = {} if before is None else {id(known.rule): known for known in before.clauses.values()}
        clauses = {rule.id: old.get(id(rule)) or clauses_of(rule) for rule in rules}
        features = together(found for one in clauses.values() for found in one.features)
        return cls(
            content,
            content_hash(content),
            MappingProxyType(by_id),
            MappingProxyType(features),
            clauses,
            matchers(clauses.values(), before.matchers if before else None),
            watchers(features.values(), before.watchers if before else None),
            enders(clauses.values(), before.enders if before else None),
        )

    def paused(self, rule_id: str) -> "Book":
        """Make the same book with one rule paused; what it remembers goes on.

        Raises
        ------
        KeyError
            There is no such rule.

        """
        paused = self.rules[rule_id].model_copy(update={"status": Status.PAUSED})
        return Book.of({**self.rules, rule_id: paused}.values())

    def observe(self, event: Event, customer: Customer) -> bool:
        """Remember an event for the windows; to be called once an event, before `match`.

        Returns
        -------
        Whether the customer's record changed.

        """
        changed = False
        remembered = customer.remembered
        for met in find(self.watchers.index, event):
            for feature in met(event):
                packed = remembered.get(feature.key, b"")
                grown = feature.fold(packed, event)
                if grown != packed:
                    remembered[feature.key] = grown
                    changed = True
        if changed and not self.features.keys() >= remembered.keys():
            # Nobody asks for these any more; the record is written anyway.
            for key in remembered.keys() - self.features.keys():
                del remembered[key]
        return changed

    def match(
        self,
        event: Event,
        customer: Customer,
        standing: Callable[[], Standing],
        since: Mapping[str, int] = EVER,
    ) -> tuple[Rule, ...]:
        """Give the rules that the event makes fire, by id; every clause is asked but scores and gates.

        Parameters
        ----------
        event
            What happened; `observe` has seen it.
        customer
            The hot record.
        standing
            Reads the profile. It is called only where the event and the past speak for a rule, for it costs; in a
            bucket of very many rules, where what many of them ask of event and past speaks for one.
        since
            The second since when each feature is remembered, by its key.

        """
        matched: list[Rule] = []
        for matching in find(self.matchers.index, event):
            matched += matching(event, customer, standing, since)
        if len(matched) > 1:
            matched.sort(key=_id)
        return tuple(matched)

    def ends(self, event: Event) -> Sequence[tuple[str, tuple[str, ...]]]:
        """Give the rules for which the event is what must not follow, and the values by which it belongs to a trigger.

        Parameters
        ----------
        event
            What happened, whether anything is waited for or not.

        """
        buckets = find(self.enders.index, event)
        if not buckets:
            return ()
        met = ((name, absent.values(event)) for found in buckets for name, absent in found(event))
        return [(name, values) for name, values in met if values is not None]

    def wants(self, rule: Rule, event: Event, customer: Customer, standing: Standing) -> bool:
        """Whether a rule that waited for its deadline still speaks of the customer; a draft speaks of nobody."""
        seen = Seen(event, customer, lambda: standing)
        return rule.status is not Status.DRAFT and rule.who.judged(seen, rule.scope()).holds is True


_id = attrgetter("id")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of some files: a book, or the problems that are in the way of one."""

    book: Book | None
    problems: tuple[Problem, ...]
    places: Mapping[str, tuple[str, Tree]] = field(default_factory=dict)
    """Each rule's file and the places in it, by the rule's id."""

    def at(self, rule: str, path: tuple[str | int, ...], what: str) -> Problem:
        """Say something of a rule, at the place in its file that a path leads to."""
        file, tree = self.places[rule]
        return tree.find(path, key=isinstance(path[-1], str)).problem(file, what)


def load(files: Mapping[str, str | bytes], known: Known | None = None) -> Loaded:
    """Read rule files as one book.

    Parameters
    ----------
    files
        The files' texts by their names; tables (`*.csv`) lie beside the rule files that name them.
    known
        The names that rules may use; what is not known is not checked.

    """
    problems: list[Problem] = []
    rules: list[Rule] = []
    taken: dict[str, str] = {}
    places: dict[str, tuple[str, Tree]] = {}
    for file in sorted(name for name in files if not name.endswith(".csv")):
        if len(problems) > MOST_PROBLEMS:
            break
        made, tree, found = read_file(file, files)
        problems += found
        for rule in _rules(tree):
            problems += _taken(file, rule, taken)
        problems += unknown_names(file, tree, known) if known else ()
        rules += made.rules if made else ()
        places |= {str(rule.below["id"].value): (file, rule) for rule in _rules(tree) if "id" in rule.below}
        if len(rules) > MOST_RULES:
            problems.append(Problem(file, 1, 1, f"the files have more than {MOST_RULES} rules together"))
            break
    return Loaded(None if problems else Book.of(rules), bounded(by_place(problems)), places)


def read_file(file: str, files: Mapping[str, str | bytes]) -> tuple[RuleFile | None, Tree, tuple[Problem, ...]]:
    """Read one of some files, a template with its table as the rules they stand for, and the places of it all."""
    tree, problems = read(file, files[file])
    if tree is None:
        return None, Tree(None, Place(1, 1)), problems
    if has_table(tree):
        tree, told = spread_out(file, tree, files)
        if told:
            return None, tree, (*problems, *told)
    made, found = validated(file, tree, RuleFile)
    return made, tree, bounded((*problems, *found))


def _rules(tree: Tree) -> list[Tree]:
    """Give the rules as they stand in the file, so that they are held against each other even where one is wrong."""
    rules = tree.below.get("rules")
    return [] if rules is None else list(rules.below.values())


def _taken(file: str, rule: Tree, taken: dict[str, str]) -> list[Problem]:
    id_ = rule.below.get("id")
    if id_ is None or not isinstance(id_.value, str):
        return []
    if id_.value in taken:
        return [id_.place.problem(file, f"the id {shown(id_.value)} is already taken at {taken[id_.value]}")]
    taken[id_.value] = f"{id_.place.file or file}:{id_.place.line}"
    return []
