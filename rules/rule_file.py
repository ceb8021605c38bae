"""Rule files: one file read as the rules it says, a template with its table as the rules they stand for."""

from collections.abc import Mapping

from rules.check import validated
from rules.problems import Place, Problem, bounded, shown
from rules.schema import RuleFile
from rules.table import has_table, spread_out
from rules.yaml_reader import Tree, read

__all__ = ["already_taken", "read_file", "rules_of"]


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


def rules_of(tree: Tree) -> list[Tree]:
    """Give the rules as they stand in the file, so that they are held against each other even where one is wrong."""
    rules = tree.below.get("rules")
    return [] if rules is None else list(rules.below.values())


def already_taken(file: str, rule: Tree, taken: dict[str, str]) -> list[Problem]:
    """Say where the id of a rule is taken already, and take it where it is not."""
    id_ = rule.below.get("id")
    if id_ is None or not isinstance(id_.value, str):
        return []
    if id_.value in taken:
        return [id_.place.problem(file, f"the id {shown(id_.value)} is already taken at {taken[id_.value]}")]
    taken[id_.value] = f"{id_.place.file or file}:{id_.place.line}"
    return []
