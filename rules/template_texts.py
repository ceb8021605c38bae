"""Template texts: what may stand in one, and how it becomes what a customer reads. Jinja2, in its sandbox.

A text is plain words and parameters, `{{ code }}`, and nothing else: no attribute, no call, no filter, no loop, no
condition. A gateway approves a text with holes, so more than holes could not be approved; and whoever wrote a text
cannot reach anything by it. What is not on the list of what may stand there is refused, be it harmless or not.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Final

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import AfterValidator, Field

from rules.problems import mistake, shown

__all__ = ["LONGEST", "TemplateText", "parameters_of", "rendered"]

LONGEST: Final = 500
"""The most characters of a text, with its values as without."""


def _environment(*, is_html: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=is_html, keep_trailing_newline=True)
    # Nothing of what Jinja2 brings along is of use to a text that has parameters alone.
    for tools in (made.globals, made.filters, made.tests):
        tools.clear()
    return made


_PLAIN: Final = _environment(is_html=False)
_HTML: Final = _environment(is_html=True)
_ALLOWED: Final = frozenset({nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name})
_NO_TAGS = "a text has parameters such as {{ code }} and nothing else that stands in braces with % or #"


@lru_cache(maxsize=4096)
def parameters_of(text: str) -> frozenset[str]:
    """Give the parameters of a text.

    Raises
    ------
    ValueError
        Something stands in it that is neither plain text nor a parameter.

    Examples
    --------
    >>> sorted(parameters_of("{{ value }} yuan at {{ shop }}"))
    ['shop', 'value']
    >>> parameters_of("{{ shop.__class__ }}")
    Traceback (most recent call last):
    ValueError: inside {{ }} stands the name of a parameter, and nothing that is done with it

    """
    if "{%" in text or "{#" in text:
        raise ValueError(_NO_TAGS)
    try:
        tree = _PLAIN.parse(text)
    except (TemplateSyntaxError, RecursionError):
        raise ValueError("the braces of a parameter are written {{ code }}, with one name between them") from None
    for node in tree.find_all(nodes.Node):
        if type(node) not in _ALLOWED:
            raise ValueError("inside {{ }} stands the name of a parameter, and nothing that is done with it")
    return frozenset(node.name for node in tree.find_all(nodes.Name))


def rendered(text: str, values: Mapping[str, str], *, is_html: bool = False) -> str:
    """Put values into a text.

    Parameters
    ----------
    text
        The text with its parameters.
    values
        What each parameter stands for.
    is_html
        Whether the text is HTML, in which a value is escaped and the text itself is not.

    Raises
    ------
    KeyError
        A parameter has no value: never is a text made with a hole in it.

    Examples
    --------
    >>> rendered("{{ value }} yuan at {{ shop }}", {"value": "15", "shop": "A&B"})
    '15 yuan at A&B'
    >>> rendered("<b>{{ shop }}</b>", {"shop": "A&B"}, is_html=True)
    '<b>A&amp;B</b>'

    """
    try:
        return _made(text, is_html).render(values)
    except UndefinedError:
        missing = sorted(parameters_of(text) - values.keys())
        raise KeyError(*missing) from None


@lru_cache(maxsize=4096)
def _made(text: str, is_html: bool) -> Template:
    # Asked again: of a text that came through Kafka nobody knows where it was checked.
    parameters_of(text)
    return (_HTML if is_html else _PLAIN).from_string(text)


def _harmless(text: str) -> str:
    try:
        parameters_of(text)
    except ValueError as error:
        raise mistake(str(error)) from None
    if text != text.strip():
        raise mistake("a text neither begins nor ends with a blank")
    if odd := next((letter for letter in text if not (letter.isprintable() or letter == "\n")), None):
        raise mistake(f"the character {shown(odd)} cannot be read by anybody")
    return text


TemplateText = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_harmless)]
"""What a template says in one language."""
