"""The page of a backtest: it needs nothing from outside, believes nobody, and says the same each time."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from console.backtest_build import Ran, report
from console.backtest_charts import svg
from console.backtest_page import page
from console.backtest_report import Chart, Report
from console.backtest_words import SAID
from rules.saying import LANGUAGES, Language
from tests.customer_table import versions
from tests.test_backtest import OVER, day, ran

SVG = "{http://www.w3.org/2000/svg}"


def told(language: Language = "en", name: str = "Coffee") -> Report:
    figures, _, _ = ran(day(), versions(cafe=1, tea=1))
    return report(OVER, Ran("rules", figures, {"cafe": name}), None, language)


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    for language in LANGUAGES:
        written = page(told(language))

        assert f'<html lang="{language}">' in written
        assert not re.search(r"<(script|link|img|iframe|object|image)\b|@import|url\(|\bon[a-z]+=", written)
        assert set(re.findall(r"https?://[^\"<> ]+", written)) <= {"http://www.w3.org/2000/svg"}


def test_a_page_is_the_same_each_time_it_is_written() -> None:
    assert page(told()) == page(told())


def test_what_people_wrote_into_rules_and_logs_is_text_and_nothing_else() -> None:
    wicked = "<script>alert(1)</script>{{ 7 * 7 }}\"'&"
    written = page(replace(told(name=wicked), subtitle=wicked))

    assert "<script>" not in written
    assert written.count("&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}&#34;&#39;&amp;") == 2


def test_every_figure_of_the_report_stands_on_the_page() -> None:
    found = told()
    written = page(found)

    for table in (table for section in found.sections for table in section.tables):
        for cell in (cell for row in table.rows for cell in row):
            assert f">{cell:,}</td>" in written if isinstance(cell, int) else cell in written
    assert '<td class="number">33.3%</td><td class="drawn"><i style="width:100.0%"></i></td>' in written


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_happened_every_section_says_so_in_a_sentence(language: Language) -> None:
    figures, _, _ = ran(day()[:3], versions(cafe=1, tea=1))
    run = Ran("rules", figures, {"cafe": "Coffee"})

    found = {section.name: section for section in report(OVER, run, run, language).sections}

    words = SAID[language]
    said = [found[name].said for name in ("funnel", "volume", "arms", "overlap")]
    assert said == [(words[name],) for name in ("funnel nothing", "volume nothing", "no arms", "no overlap")]
    # What does not change is not told with a sign.
    assert {row[-1] for table in found["compare"].tables for row in table.rows} == {0, "0"}


def test_a_chart_says_each_value_where_the_pointer_rests() -> None:
    chart = Chart("stacked", "", ("2026-12-01", "2026-12-02"), {"<SMS>": [3, 0], "push": [0, 12]})

    drawn = ElementTree.fromstring(svg(chart, "one"))

    titles = [title.text for title in drawn.iter(f"{SVG}title")]
    assert {"2026-12-01: 3", "2026-12-02: 12"} <= set(titles)
    assert drawn.attrib["id"] == "chart-one"
    assert not [node for node in drawn.iter() if str(node.tag).endswith("script") or callable(node.tag)]


def test_nothing_is_drawn_of_nothing() -> None:
    assert svg(Chart("lines", "", ("2026-12-01",), {"cafe": [0]}), "one") == ""
    assert svg(Chart("lines", "", (), {}), "one") == ""
