"""What dead engines have left, as text. Pure."""

from collections.abc import Sequence

from deployer.model.facts import DeadWorker


def text(observed: Sequence[DeadWorker], is_cleaned: bool) -> str:
    """One line a dead worker, then what became of it."""
    if not observed:
        return "Nothing to recover: no dead engine has left anything."
    lines = [f"{each.host or 'forgotten'}  {each.engine_id}  {_what(each)}" for each in observed]
    stuck = sum(len(each.held) for each in observed)
    done = f"cleaned; {stuck} marked as failed, for their owners to update or delete" if is_cleaned else "nothing done"
    return "\n".join([*lines, f"{len(observed)} dead workers: {done}."])


def _what(left: DeadWorker) -> str:
    parts = [*([", ".join(left.held)] if left.held else []), *([f"{len(left.queues)} queues"] if left.queues else [])]
    return "; ".join(parts) or "its row"
