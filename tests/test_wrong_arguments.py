"""What people get wrong on the command line is said in a sentence with its place and a way out, never a traceback."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from kairos.instants import DAY
from tests.rules_strategies import NOON
from tests.small_log import happened, profile, small_log

DEMO = "--policy examples/demo/policy.yaml --pools examples/demo/pools.yaml"
BOOKS = f"--rules examples/demo/rules {DEMO}"
WHY = f"rules why --customer C1 --log {{log}} {BOOKS}"
WRONG = [
    (
        "rules check examples/demo/rules --policy {zone}",
        "zone.yaml:2:7: expected a time zone such as Asia/Shanghai, got",
    ),
    ("rules check examples/demo/rules --policy {zone}", "got 'Asia/Shangai'; did you mean 'Asia/Shanghai'?"),
    ("rules publish {empty}", "1 problem; nothing was published"),
    ("pools check {log}", "log.jsonl:2:1: not YAML"),
    ("settle --from 2026-12-01 --until 2026-12-02 --zone Asia/Shangai", "did you mean 'Asia/Shanghai'?"),
    ("settle --from 0001-01-01 --until 2026-12-02", "0001-01-01 is no day on which a coupon can have been given"),
    ("settle --from 2026-12-01 --until 9999-12-31", "9999-12-31 is no day on which a coupon can have been given"),
    ("settle --from 2026-12-01 --until 2026-12-02 --out {folder}", "is a directory"),
    ("dlq list --since 0001-01-01T00:00:00Z", "'0001-01-01T00:00:00Z' is no instant; write 2h, or RFC 3339"),
    (f"backtest --events {{empty}} {BOOKS}", "empty.yaml:1: no header of kairos-log/1"),
    (f"backtest --events {{none}} {BOOKS}", "none.jsonl: there is no event in this log"),
    (f"backtest --events {{far}} {BOOKS}", "far.jsonl:3: it arrives before 1970 or after 2105, where no memory"),
    (f"replay {{far}} {BOOKS} --out {{folder}}/out.jsonl", "far.jsonl:3: it arrives before 1970 or after 2105"),
    ("rules estimate examples/demo/rules --log {far}", "far.jsonl:3: it arrives before 1970 or after 2105"),
    (f"rules why --customer C1 --log {{far}} --at 2026-12-01 {BOOKS}", "far.jsonl:3: it arrives before 1970 or"),
    (f"replay {{empty}} {BOOKS} --out {{folder}}/out.jsonl", "empty.yaml:1: no header of kairos-log/1"),
    (f"backtest --events {{log}} {BOOKS} --ends soon", "'soon' is no time; write it as"),
    (f"backtest --events {{log}} {BOOKS} --ends soon --language zh", "'soon'不是时间；请写成"),
    (f"backtest --events {{log}} {BOOKS} --ends 2999-12-31", "--ends 2999-12-31: a log can end between 1970 and 2099"),
    (f"backtest --events {{log}} {BOOKS} --ends 1950-01-01 --language zh", "日志只能在1970年至2099年之间结束"),
    (f"backtest --events {{log}} {BOOKS} --html {{folder}}", "is a directory"),
    (f"{WHY} --at soon", "'soon' is no time; write it as \"2026-12-01 12:05\" or 2026-12-01T12:05:00+08:00"),
    (f"{WHY} --at soon --language zh", "'soon'不是时间；请写成\"2026-12-01 12:05\"或2026-12-01T12:05:00+08:00"),
    (f"{WHY} --at 0001-01-01T00:00:00+10:00", "'0001-01-01T00:00:00+10:00' is no time"),
    (
        f"{WHY} --at 2026-12-01 --rule ride-for-sleeper --language zh",
        "没有规则'ride-for-sleeper'；是否指'ride-for-sleepers'？",
    ),
    (f"{WHY} --at 2020-12-01 --language zh", "没有事件；之后最近的在2026-12-01"),
    ("rules estimate examples/demo/rules --log {none}", "none.jsonl: there is no event in this log"),
    ("rules estimate examples/demo/rules --log {log} --apps {empty}", "empty.yaml:1:1: expected keys and values"),
    (
        "rules diff examples/demo/rules nosuch",
        "nosuch is neither a file nor a folder; for books in the catalogue no Kafka",
    ),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    known = profile("C1", "vip")
    small_log(folder / "log.jsonl", known, happened("C1", "login", NOON))
    small_log(folder / "far.jsonl", known, happened("C1", "login", 200 * 366 * DAY))
    header = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[0]
    (folder / "none.jsonl").write_text(f"{header}\n", encoding="utf-8")
    (folder / "empty.yaml").write_text("", encoding="utf-8")
    (folder / "zone.yaml").write_text("format: 1\nzone: Asia/Shangai\n", encoding="utf-8")
    names = {name.partition(".")[0]: folder / name for name in ("log.jsonl", "far.jsonl", "none.jsonl", "empty.yaml")}
    return {**names, "zone": folder / "zone.yaml", "folder": folder}


@pytest.mark.parametrize(("command", "says"), WRONG)
def test_a_slip_is_told_in_a_sentence_with_its_place(command: str, says: str, files: dict[str, Path]) -> None:
    words = [word.format_map(files) for word in command.split()]

    run = CliRunner(env={"KAIROS_BOOTSTRAP": ""}).invoke(app, words)

    assert isinstance(run.exception, SystemExit), run.exception
    assert run.exit_code in (1, 2)
    assert says in " ".join(run.output.split())


def test_what_is_no_log_is_told_before_kafka_is_asked(files: dict[str, Path]) -> None:
    run = CliRunner(env={"KAIROS_BOOTSTRAP": "127.0.0.1:1"}).invoke(app, ["feed", str(files["empty"])])

    assert run.exit_code == 1
    assert run.stderr.startswith(f"{files['empty']}:1: no header of kairos-log/1")
