"""What every command that changes the site does at the terminal: a changed input, shown, accepted and deployed."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from invoke.context import Context

from deployer import errors
from deployer.apply.report import Report
from deployer.cli import prompt, session, terminal
from deployer.cli.flags import Count, Flags, OutputFlags
from deployer.cli.output.output import Output
from deployer.cli.output.output_options import Format
from deployer.cli.terminal import exit_codes
from deployer.cli.views import recovery_text, run_report
from deployer.inventory import editor, inventory_file, scaling
from deployer.inventory.inventory_file import InventoryFile
from deployer.model import lazy
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.purpose import Goal, Purpose
from deployer.model.service import Service
from deployer.model.steps import OnError, RolloutOptions
from deployer.plan import saved_plan
from deployer.plan.planned import Change, SavedPlan

if TYPE_CHECKING:
    from deployer import pipeline
else:  # as in the session
    pipeline = lazy.module("deployer.pipeline")


def deploy(context: Context, inventory: str | None, flags: Flags, plan: str = "") -> None:
    """Bring every host to its desired state; given the file of a plan, only by that very plan."""
    with exit_codes(flags.output, changes=True) as output:
        _rollout_options(flags)
        saved = _saved_plan(plan, flags) if plan else None
        if saved:
            inventory, flags = inventory or saved.inventory, replace(flags, limit=saved.limit, yes=True)
        with session.exclusive(output, _path(context, inventory), flags.lock_wait, flags.limit) as (file, fleet):
            report = pipeline.deploy(_change(file, flags, saved), fleet, prompt.deploy_accepted(output, flags.yes))
        _finish(report, output)


def _saved_plan(path: str, flags: Flags) -> SavedPlan:
    if flags.limit:
        raise errors.BadInput("--limit and --plan do not go together: the plan has its own hosts")
    return saved_plan.from_json(terminal.text_of(path), path)


def restart(context: Context, inventory: str | None, flags: Flags) -> None:
    """Restart every process of Heat, one host after the other."""
    with exit_codes(flags.output, changes=True) as output:
        _rollout_options(flags)
        with session.exclusive(output, _path(context, inventory), flags.lock_wait, flags.limit) as (file, fleet):
            report = pipeline.restart(_change(file, flags), fleet, prompt.deploy_accepted(output, flags.yes))
        _finish(report, output)


def add(context: Context, inventory: str | None, count: Count, flags: Flags) -> None:
    """Ask for more processes of a kind on a host, and deploy."""

    def more(file: InventoryFile) -> InventoryFile:
        text = editor.with_more(file.text, count.host, count.service, terminal.number("count", count.number))
        return inventory_file.with_text(file, text)

    _deploy_edited(context, inventory, more, flags, adds=count.service)


def remove(context: Context, inventory: str | None, count: Count, flags: Flags) -> None:
    """Ask for fewer processes of a kind on a host, and deploy."""

    def fewer(file: InventoryFile) -> InventoryFile:
        text = editor.with_fewer(file.text, count.host, count.service, terminal.number("count", count.number))
        edited = inventory_file.with_text(file, text)
        if not flags.force and not any(each.service is count.service for each in edited.inventory.instances()):
            raise errors.BadInput(f"this would take the site's last {count.service} away", "To mean it, say --force.")
        return edited

    _deploy_edited(context, inventory, fewer, flags)


def remove_host(context: Context, inventory: str | None, host: str, gone: bool, flags: Flags) -> None:
    """Take a host out of the site and then out of the file, which is not edited before; one that is gone is not asked.

    Its lines may be missing in the file already.
    """

    def reached(file: InventoryFile) -> InventoryFile:
        without = inventory_file.without_host(file, host)
        return without if gone else file

    with exit_codes(flags.output, changes=True) as output:
        output.way_on = terminal.AGAIN  # a deploy would be refused
        _rollout_options(flags)
        with session.exclusive(output, _path(context, inventory), flags.lock_wait, edit=reached) as (file, fleet):
            named = inventory_file.with_text(file, file.on_disk.decode())
            change = replace(_change(named, flags), goal=Goal(Purpose.REMOVE_HOST, host=host, is_gone=gone))
            accept = prompt.deploy_accepted(output, flags.yes)
            report = pipeline.remove_host(change, named, fleet, accept)
        _finish(report, output)


def drain(context: Context, inventory: str | None, host: str, flags: Flags) -> None:
    """Have the proxy send a host's APIs nothing, and deploy."""
    _deploy_edited(context, inventory, _drained(host, True), flags, traffic_only=True)


def undrain(context: Context, inventory: str | None, host: str, flags: Flags) -> None:
    """Have the proxy send a host's APIs requests again, and deploy."""
    _deploy_edited(context, inventory, _drained(host, False), flags, traffic_only=True)


def _drained(host: str, drained: bool) -> session.Edit:
    return lambda file: inventory_file.with_text(file, editor.with_drained(file.text, host, drained))


def _deploy_edited(
    context: Context,
    inventory: str | None,
    edit: session.Edit,
    flags: Flags,
    traffic_only: bool = False,
    adds: Service | None = None,
) -> None:
    """Deploy an edited inventory, whose file is written once every host is ready."""
    with exit_codes(flags.output, changes=True) as output:
        _rollout_options(flags)
        with session.exclusive(output, _path(context, inventory), flags.lock_wait, edit=edit) as (file, fleet):
            run = pipeline.switch_traffic if traffic_only else pipeline.deploy
            change = replace(_change(file, flags), adds=adds)
            report = run(change, fleet, prompt.deploy_accepted(output, flags.yes))
        _finish(report, output)


def scale(context: Context, inventory: str | None, numbers: Mapping[str, str | None], flags: Flags) -> None:
    """Ask for totals over the hosts, or for another size of engines, and deploy."""
    with exit_codes(flags.output, changes=True) as output:
        _rollout_options(flags)
        given = {flag: terminal.number(flag, text) for flag, text in numbers.items() if text is not None}
        request = scaling.request_of(given)

        def check(file: InventoryFile) -> InventoryFile:
            scaling.refuse_impossible(file.inventory, request)
            return file

        with session.exclusive(output, _path(context, inventory), flags.lock_wait, edit=check) as (file, fleet):
            terminal.show_warnings(output, scaling.warnings(file.inventory, request))
            scaled = pipeline.scale(file, request, fleet)
            report = pipeline.deploy(_change(scaled, flags), fleet, prompt.deploy_accepted(output, flags.yes))
        _finish(report, output)


def restore(context: Context, inventory: str | None, flags: Flags) -> None:
    """Go back to the single server."""
    with exit_codes(flags.output, changes=True) as output:
        prompt.refuse_unconfirmed_restore(flags.yes)
        _rollout_options(flags)
        with session.exclusive(output, _path(context, inventory), flags.lock_wait) as (file, fleet):
            accept = prompt.restore_accepted(output, flags.yes, file.inventory.site)
            report = pipeline.restore(_change(file, flags), fleet, accept)
        _finish(report, output)


def rollback(context: Context, inventory: str | None, number: str, flags: Flags) -> None:
    """Go back to what the hosts had in a generation, and to its inventory."""
    with exit_codes(flags.output, changes=True) as output:
        _rollout_options(flags)
        chosen = terminal.number("to", number, 1) if number else None
        with session.exclusive(output, _path(context, inventory), flags.lock_wait, verb="recall") as (file, fleet):
            target = pipeline.rollback_target(file.inventory, fleet, chosen)
            change = _change(session.file_of_generation(file, target.author.text), flags)
            report = pipeline.rollback(change, target.number, fleet, prompt.deploy_accepted(output, flags.yes))
        _finish(report, output)


def recover(context: Context, inventory: str | None, flags: Flags) -> None:
    """Show what dead engines have left, and clean it."""
    with exit_codes(flags.output, changes=True) as output:
        with session.exclusive(output, _path(context, inventory), flags.lock_wait, verb="") as (file, fleet):
            recovered = pipeline.recover(file.inventory, fleet, prompt.recovery_accepted(output, flags.yes))
        output.show(
            lambda: recovery_text.text(recovered.workers, recovered.cleaned),
            lambda: {
                "schema_version": SCHEMA_VERSION,
                "cleaned": recovered.cleaned,
                "workers": [asdict(each) for each in recovered.workers],
            },
        )


def unlock(context: Context, inventory: str | None, id: str, flags: OutputFlags) -> None:
    """End the lock that has this id, and so the command that holds it."""
    with exit_codes(flags, changes=True) as output:
        site = terminal.read(context, inventory)
        with terminal.fleet(site, output.handle, [site.lock_host], verb="release") as fleet:
            ended = pipeline.unlock(site, fleet, id)
        output.show(
            lambda: f"Ended the lock of {ended}",
            lambda: {"schema_version": SCHEMA_VERSION, "ended": asdict(ended)},
        )


def _path(context: Context, inventory: str | None) -> Path:
    return terminal.locate(context, inventory)


def _rollout_options(flags: Flags) -> RolloutOptions:
    """The options of the rollout; raise BadInput for a flag that makes no sense."""
    if flags.on_error not in tuple(OnError):
        raise errors.BadInput(f"--on-error takes {', '.join(OnError)}, not {flags.on_error!r}")
    seconds = terminal.seconds("wait", flags.wait, 0.0) if flags.wait else None
    return RolloutOptions(wait=seconds, force=flags.force, on_error=OnError(flags.on_error))


def _change(file: InventoryFile, flags: Flags, saved: SavedPlan | None = None) -> Change:
    """What this very command asks for."""
    return Change(
        inventory=file.inventory,
        options=_rollout_options(flags),
        author=session.author(file),
        limit=terminal.limit_hosts(file.inventory, flags.limit),
        file=file,
        saved=saved,
    )


def _finish(report: Report, output: Output) -> NoReturn:
    """Show how a command ended, and end with its exit code."""
    if not report.accepted:
        output.message(run_report.NOTHING_CHANGED)
    if report.accepted or output.options.format is not Format.TABLE:
        output.show(lambda: run_report.view(report), lambda: run_report.json(report))
    sys.exit(report.exit_code)
