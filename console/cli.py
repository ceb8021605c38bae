"""The command line: one program, `kairos`, for marketing, operators and auditors."""

import typer

from console import (
    commands_backtest,
    commands_codes,
    commands_dlq,
    commands_policy,
    commands_pools,
    commands_priorities,
    commands_rule_tests,
    commands_rule_tools,
    commands_rules,
    commands_run,
    commands_settle,
    commands_show,
    commands_state,
    commands_stop,
    commands_templates,
    commands_uplift,
    commands_why,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="kairos",
    help="Event-driven, real-time scenario marketing for a retail bank.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(commands_rules.app, name="rules", help="Check trigger rules, put them into force, take them back.")
commands_rule_tests.add_to(commands_rules.app)
commands_rule_tools.add_to(commands_rules.app)
app.add_typer(commands_priorities.app, name="priorities", help="Check what the business adds when offers compete.")
app.add_typer(commands_policy.app, name="policy", help="Check the contact policy, say it, put it into force.")
app.add_typer(
    commands_templates.app, name="templates", help="Check what customers are told, show it, put it into force."
)
app.add_typer(commands_pools.app, name="pools", help="Check pools, redeem codes that tills report, move budgets.")
app.add_typer(commands_dlq.app, name="dlq", help="Look at dead letters, and replay them once the cause is mended.")
app.add_typer(commands_state.app, name="state", help="Look into a stopped worker's state, back it up, bring it back.")
commands_run.add_to(app)
commands_codes.add_to(app)
commands_settle.add_to(app)
commands_show.add_to(app)
commands_backtest.add_to(app)
commands_why.add_to(app)
commands_stop.add_to(app)
commands_uplift.add_to(app)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
