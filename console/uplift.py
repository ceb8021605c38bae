"""Uplift: what customers did, by rule, arm and form of the offer, counted from decisions and feedback alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from console.backtest_rows import decision, feedback
from kairos.decisions import MADE, Arm, Reason
from kairos.ports import Record
from models.sample_ratio import SampleRatio
from models.uplift import Counted, Difference, difference

__all__ = ["Cell", "Group", "Of", "RuleUplift", "Shares", "Uplift"]

Cell = tuple[str, str]
"""Arm and form; the form is `""` where the offer stands as the rule has it."""
Shares = Callable[[str, Mapping[str, str]], Mapping[Cell, float] | None]
"""Gives the shares that a rule should have under some versions; None where these are gone."""
_THROUGH: Final = ("won", Reason.CONTROL)
_REACTED: Final = ("clicked", "redeemed", "converted")


class Of(NamedTuple):
    """Whose decision it was."""

    rule: str
    cell: Cell
    customer: str


@dataclass(slots=True)
class Group:
    """The customers of one arm and form.

    Parameters
    ----------
    matched
        Whom the rule spoke of.
    through
        Who came through every gate but the arm: they got the offer, or would have.
    reacted, converted
        Who clicked, redeemed or converted; who converted.

    """

    matched: set[str] = field(default_factory=set)
    through: set[str] = field(default_factory=set)
    reacted: set[str] = field(default_factory=set)
    converted: set[str] = field(default_factory=set)


@dataclass(slots=True)
class RuleUplift:
    """One rule: its groups, and whether they have the shares that they should."""

    groups: dict[Cell, Group] = field(default_factory=dict)
    ratio: SampleRatio = field(default_factory=SampleRatio)
    unknown: int = 0
    """How many customers matched under versions that are gone; of these the shares are not known."""

    def against_control(self, form: str) -> Difference | None:
        """Give by how much more of those through all gates converted than in the control group of the same form."""
        treated, control = (self.groups.get((arm, form)) for arm in (Arm.TREATMENT, Arm.CONTROL))
        if treated is None or control is None or not treated.through or not control.through:
            return None
        return difference(
            Counted(len(treated.converted), len(treated.through)), Counted(len(control.converted), len(control.through))
        )

    def against_first(self, form: str) -> Difference | None:
        """Give by how much more of those whom it spoke of reacted than with the offer as it stands, by intention.

        Forms may go by other channels and so meet other gates: who came through them cannot be compared.
        """
        one, first = self.groups.get((Arm.TREATMENT, form)), self.groups.get((Arm.TREATMENT, ""))
        if not form or one is None or first is None:
            return None
        return difference(Counted(len(one.reacted), len(one.matched)), Counted(len(first.reacted), len(first.matched)))


class Uplift:
    """Takes decisions, then feedback, and says what each rule's arms and forms came to.

    Parameters
    ----------
    shares
        Gives the shares that a rule should have under the versions that decided.

    """

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._of: dict[str, Of] = {}
        self.rules: dict[str, RuleUplift] = {}
        self.simulated = 0

    def decided(self, record: Record) -> None:
        """Take a decision; those of the bank's testers are in no statistic, and an end is no decision."""
        if MADE not in record.headers:
            return
        made = decision(record.value or b"")
        for verdict in made.verdicts if not made.test else ():
            cell = (verdict.arm, verdict.treatment or "")
            rule = self.rules.setdefault(verdict.rule, RuleUplift())
            if not any(made.customer in known.matched for known in rule.groups.values()):
                self._drawn(rule, verdict.rule, cell, made.versions)
            group = rule.groups.setdefault(cell, Group())
            group.matched.add(made.customer)
            if verdict.verdict in _THROUGH:
                group.through.add(made.customer)
                self._of[made.id] = Of(verdict.rule, cell, made.customer)

    def _drawn(self, rule: RuleUplift, name: str, cell: Cell, versions: Mapping[str, str]) -> None:
        expected = self._shares(name, versions)
        if expected is None:
            rule.unknown += 1
        else:
            rule.ratio.take("/".join(cell), {"/".join(other): share for other, share in expected.items()})

    def came_back(self, record: Record) -> None:
        """Take what came back of an offer; each customer counts once for each rule."""
        said = feedback(record.value)
        of = None if said is None else self._of.get(said.decision or "")
        if said is None or of is None or said.what not in _REACTED:
            return
        group = self.rules[of.rule].groups[of.cell]
        group.reacted.add(of.customer)
        self.simulated += said.simulated
        if said.what == "converted":
            group.converted.add(of.customer)
