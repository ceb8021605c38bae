"""The book: all rules in force at once, read from files or from what was published, ready to be asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from kairos.customer import Customer, Standing
from kairos.events import Event
from kairos.ids import content_hash
from rules.canonical import canonical, parsed, split
from rules.clauses import Apart, taken_apart
from rules.compile import Compiled, Ender, Matcher, Watcher, enders, find, matchers, watchers
from rules.documents import Rules, read_documents
from rules.features import Feature, together
from rules.judged import EVER, Seen
from rules.kept import Kept
from rules.known import Known
from rules.lookup import unknown_names
from rules.problems import MOST_PROBLEMS, Problem, bounded, by_place
from rules.rule_file import already_taken, read_file, rules_of
from rules.schema import MOST_RULES, Published, Rule, Status
from rules.undisturbed import at_once, undisturbed
from rules.yaml_reader import Tree

__all__ = ["MOST_RULES", "Book", "Loaded", "load", "read_file"]


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
    apart
        The rules taken apart, each by the form in which it is published.
    matchers, watchers, enders
        What was compiled, and of what: the next book takes over what has not changed.

    """

    content: bytes
    hash: str
    rules: Rules
    features: Mapping[str, Feature] = field(repr=False)
    apart: Mapping[bytes, Apart] = field(repr=False)
    matchers: Compiled[Matcher] = field(repr=False)
    watchers: Compiled[Watcher] = field(repr=False)
    enders: Compiled[Ender] = field(repr=False)

    @classmethod
    @undisturbed()
    def of(cls, rules: Iterable[Rule]) -> "Book":
        """Make the book of some rules, whose ids are all different."""
        ordered = tuple(sorted(rules, key=lambda rule: rule.id))
        return cls._of_rules(canonical(Published(format=1, rules=ordered)), ordered)

    @classmethod
    @undisturbed()
    def of_content(
        cls,
        content: bytes,
        before: "Book | None" = None,
        kept: Kept | None = None,
        between: Callable[[], None] = at_once,
    ) -> "Book":
        """Make the book from its published form, as workers do.

        Parameters
        ----------
        content
            The published form.
        before
            The book in force: the rules that stand in both are neither read nor compiled again.
        kept
            What was kept of an earlier book: a rule that stood in it is read when somebody asks for it.
        between
            Is called between two steps, none of which is long where few rules are new; others may work then.

        Raises
        ------
        ValueError
            The content is no published book.

        """
        written = split(content)
        if written is None or len(written) > MOST_RULES:
            # The reader of the whole says what is wrong with it.
            return cls._of_rules(content, parsed(content, Published).rules)
        between()
        known = {one: before.apart[one] for one in written if one in before.apart} if before else {}
        between()
        read = before.rules.already(known) if before else {}
        if kept is not None:
            known |= kept.apart([one for one in written if one not in known])
        for one, rule in read_documents([one for one in written if one not in known]).items():
            known[one], read[rule.id] = taken_apart(rule), rule
        between()
        return cls._made(content, written, known, read, before, between)

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
    def _of_rules(cls, content: bytes, rules: tuple[Rule, ...]) -> "Book":
        # The name is the hash of these bytes, even where a later version would write them differently.
        written = split(content) or split(canonical(Published(format=1, rules=rules))) or []
        apart = {one: taken_apart(rule) for one, rule in zip(written, rules, strict=True)}
        return cls._made(content, written, apart, {rule.id: rule for rule in rules})

    @classmethod
    def _made(
        cls,
        content: bytes,
        written: Sequence[bytes],
        apart: Mapping[bytes, Apart],
        read: Mapping[str, Rule],
        before: "Book | None" = None,
        between: Callable[[], None] = at_once,
    ) -> "Book":
        rules = [apart[one] for one in written]
        documents = {rule.clauses.id: one for rule, one in zip(rules, written, strict=True)}
        if len(documents) != len(written):
            raise ValueError("two rules of the book have the same id")
        between()
        features = together(feature for rule in rules for feature in rule.features)
        between()
        found = matchers([rule.clauses for rule in rules], before.matchers if before else None, between)
        between()
        return cls(
            content,
            content_hash(content),
            Rules(documents, read),
            MappingProxyType(features),
            apart,
            found,
            watchers(features.values(), before.watchers if before else None),
            enders([one for rule in rules for one in rule.endings], before.enders if before else None),
        )

    def paused(self, rule_id: str) -> "Book":
        """Make the same book with one rule paused; what it remembers goes on.

        Raises
        ------
        KeyError
            There is no such rule.

        """
        paused = self.rules[rule_id].model_copy(update={"status": Status.PAUSED})
        return Book.of(paused if rule.id == rule_id else rule for rule in self.rules.values())

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
        matched: list[str] = []
        for matching in find(self.matchers.index, event):
            matched += matching(event, customer, standing, since)
        return tuple([self.rules[name] for name in sorted(matched)]) if matched else ()

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


@undisturbed()
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
        for rule in rules_of(tree):
            problems += already_taken(file, rule, taken)
        problems += unknown_names(file, tree, known) if known else ()
        rules += made.rules if made else ()
        places |= {str(rule.below["id"].value): (file, rule) for rule in rules_of(tree) if "id" in rule.below}
        if len(rules) > MOST_RULES:
            problems.append(Problem(file, 1, 1, f"the files have more than {MOST_RULES} rules together"))
            break
    return Loaded(None if problems else Book.of(rules), bounded(by_place(problems)), places)
