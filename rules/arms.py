"""Arms: who is left alone, by whose word, and in which form the others get an offer; drawn at the match.

Every draw is a hash of a salt and the customer, so that it is the same for ever and stands before any gate. The widest
control group is told: everywhere, then the programme's, then the rule's own.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from kairos.decisions import Arm, ControlOf
from kairos.ids import share
from rules.experiments import Control, Treatment
from rules.policy import Policy
from rules.schema import Rule

__all__ = ["Arms", "Drawn", "drawn", "forms"]


class Drawn(NamedTuple):
    """What was drawn for one customer and rule.

    `control` says whose control group the customer is in, `treatment` names the form of the offer, in the control arm
    the one that is withheld. `spared` is told of a customer whom only the rule's purpose keeps out of a control group.
    """

    arm: Arm
    control: ControlOf | None = None
    treatment: str | None = None
    spared: bool = False

    def form(self, rule: Rule) -> Rule:
        """Give the rule as the customer gets it."""
        return rule if self.treatment is None else rule.treated[self.treatment]


def forms(rule: Rule) -> tuple[Rule, ...]:
    """Give the rule in every form in which customers get it: as it stands, and as each treatment has it."""
    return rule, *rule.treated.values()


# Most rules have neither forms nor a policy above them; what is drawn for them is made once.
_TREATED: Final = Drawn(Arm.TREATMENT)
_ALONE: Final = Drawn(Arm.CONTROL, "rule")
# No name that people write has a slash in it: these draws and those of the experiments cannot fall together.
_EVERYWHERE: Final = "everywhere/"
_TREATMENTS: Final = "/treatments"


def drawn(rule: Rule, customer: str, policy: Policy) -> Drawn:
    """Give the arm and the form of the offer that a customer gets of a rule, the same for ever.

    A larger control share keeps all customers of a smaller one, and moves nobody from one treatment to another.
    """
    return Arms(customer, policy).of(rule)


class Arms:
    """The draws of one customer, each hash made once.

    Parameters
    ----------
    customer
        The customer's key.
    policy
        The control groups that hold whatever rules say.

    """

    __slots__ = ("_control", "_customer", "_places", "_policy")

    def __init__(self, customer: str, policy: Policy) -> None:
        self._customer, self._policy, self._control = customer, policy, policy.control
        self._places: dict[str, float] = {}

    def of(self, rule: Rule) -> Drawn:
        """Draw for one rule."""
        gated = rule.gated
        alone = gated.control > 0 and self._place(gated.salt) < gated.control
        if self._control is None and gated.treatments is None:
            return _ALONE if alone else _TREATED
        treatment = None if gated.treatments is None else self._treatment(gated.salt, gated.treatments)
        control = None if self._control is None else self._whatever_rules_say(gated.programme, self._control)
        if spared := control is not None and gated.purpose in self._policy.uncontrolled:
            control = None
        if control is None and alone:
            control = "rule"
        return Drawn(Arm.CONTROL if control else Arm.TREATMENT, control, treatment, spared and not alone)

    def _whatever_rules_say(self, programme: str, said: Control) -> ControlOf | None:
        if said.everywhere and self._place(_EVERYWHERE + said.salt) < said.everywhere:
            return "everywhere"
        part = said.programmes.get(programme)
        # By the word that also splits for the programme's rules: of two shares, the larger holds the smaller.
        return "programme" if part and self._place(programme) < part else None

    def _treatment(self, salt: str, treatments: Iterable[Treatment]) -> str | None:
        place, reached = self._place(salt + _TREATMENTS), 0.0
        for treatment in treatments:
            reached += treatment.share
            if place < reached:
                return treatment.name
        return None

    def _place(self, salt: str) -> float:
        place = self._places.get(salt)
        if place is None:
            place = self._places[salt] = share(salt, self._customer)
        return place
