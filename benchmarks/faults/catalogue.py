"""Every fault by name, what is promised of it, and how often it is made unless told otherwise."""

from benchmarks.faults import bad_host, killed_deployer, lost_host, proxies, random_walk, services, two_commands
from benchmarks.faults.trial import Fault

CONVERGES = (
    "one rerun converges, then the plan is empty; every file of ours was always the old or the new one; "
    "no request of a client failed"
)
FAULTS = {
    "requests": Fault(killed_deployer.AT_REQUEST, CONVERGES, 1, killed_deployer.at_every_request),
    "random": Fault(killed_deployer.AT_RANDOM, CONVERGES, 100, killed_deployer.at_random),
    "lost": Fault(
        lost_host.FAULT,
        f"the command ends within {lost_host.NOTICED:.0f} s (frozen: its request's limit), with "
        "4 before the first change and 5 after it, and tells what each host has; `status` tells the truth; "
        "the others serve; when the host is back one rerun converges",
        1,
        lost_host.every,
        serves=False,
    ),
    "together": Fault(two_commands.FAULT, "exactly one runs, the other ends with 6", 50, two_commands.twice),
    "refused": Fault(
        bad_host.REFUSED,
        "refused with the right code, no file of ours changed on any host, no request of a client failed",
        1,
        bad_host.refused,
    ),
    "stopped": Fault(
        bad_host.STOPPED,
        "stopped after at most one host, which has again what it had; no request of a client failed",
        1,
        bad_host.stopped,
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
        random_walk.FAULT,
        "after each step that ended well the proxy's servers are the running APIs, an engine "
        "runs, and generations have only grown",
        50,
        random_walk.walk,
    ),
}
