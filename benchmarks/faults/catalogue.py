"""Every fault by name, what is promised of it, and how often it is made unless told otherwise."""

from benchmarks.faults import broken, killed, lost, proxies, services, steps, together
from benchmarks.faults.trial import Fault

CONVERGES = (
    "one rerun converges, then the plan is empty; every file of ours was always the old or the new one; "
    "no request of a client failed"
)
FAULTS = {
    "requests": Fault(killed.AT_REQUEST, CONVERGES, 1, killed.at_every_request),
    "random": Fault(killed.AT_RANDOM, CONVERGES, 100, killed.at_random),
    "lost": Fault(
        lost.FAULT,
        f"the command ends within {lost.NOTICED:.0f} s (frozen: its request's limit), with "
        "4 before the first change and 5 after it, and tells what each host has; `status` tells the truth; "
        "the others serve; when the host is back one rerun converges",
        1,
        lost.every,
        serves=False,
    ),
    "together": Fault(together.FAULT, "exactly one runs, the other ends with 6", 50, together.twice),
    "refused": Fault(
        broken.REFUSED,
        "refused with the right code, no file of ours changed on any host, no request of a client failed",
        1,
        broken.refused,
    ),
    "stopped": Fault(
        broken.STOPPED,
        "stopped after at most one host, which has again what it had; no request of a client failed",
        1,
        broken.stopped,
    ),
    "services": Fault(
        services.FAULT,
        f"the engines work again within {services.BACK:.0f} s by themselves, and `verify` passes",
        1,
        services.every,
    ),
    "proxy": Fault(
        proxies.FAULT, "the old worker serves on, a drain is kept, no request of a client failed", 1, proxies.every
    ),
    "walk": Fault(
        steps.FAULT,
        "after each step that ended well the proxy's servers are the running APIs, an engine "
        "runs, and generations have only grown",
        50,
        steps.walk,
    ),
}
