"""The program that a host runs for one request: the agent parts that it needs, and the request; its reply. Pure."""

import base64
import functools
import json
from importlib import resources

from deployer.model.wire import Request

BEGIN = "heat-scaleout-agent"  # the line before a reply: what stands before it is a login profile's, or a program's

PARTS = {
    "observe": ("exclusive", "sockets", "atomic", "journal", "ledger", "certificates", "observe"),
    "watch": ("exclusive", "sockets", "atomic", "journal", "ledger", "certificates", "observe", "measure", "usage"),
    "measure": ("sockets", "measure"),
    "logs": ("sockets", "atomic", "journal", "ledger", "generations", "logs"),
    "perform": (
        "exclusive",
        "sockets",
        "atomic",
        "journal",
        "ledger",
        "certificates",
        "observe",
        "programs",
        "haproxy_state",
        "socket_takeover",
        "probes",
        "seamless_restart",
        "files",
        "progress",
        "perform",
    ),
    **dict.fromkeys(("acquire", "holder", "release"), ("site_lock",)),
    **dict.fromkeys(("stage", "close", "recall"), ("atomic", "journal", "ledger", "generations")),
}
ROOT = 0  # as nobody else it would find files and records missing that it may not read
# The agent's files become the modules they are here, so that they import one another in both places.
# No later Python is needed for these lines than for what they say.
FRAME = """\
import base64, json, os, sys, types
if sys.version_info < (3, 8):
    sys.exit("python3 is %d.%d there" % sys.version_info[:2])
print({begin!r}, flush=True)
if os.geteuid() != {root}:
    print(json.dumps({{"denied": os.geteuid()}}))
    sys.exit()
for name in ("deployer", "deployer.remote", "deployer.remote.agent"):
    sys.modules[name] = types.ModuleType(name)
for name, source in {parts!r}:
    module = sys.modules["deployer.remote.agent." + name] = types.ModuleType(name)
    setattr(sys.modules["deployer.remote.agent"], name, module)
    exec(compile(source, name + ".py", "exec"), module.__dict__)
request = json.loads(base64.b64decode({request!r}))
json.dump({verb}(request), sys.stdout)
print()
"""
VERBS = {
    "observe": "sys.modules['deployer.remote.agent.observe'].observe",
    "watch": "sys.modules['deployer.remote.agent.usage'].watch",
    "measure": "sys.modules['deployer.remote.agent.measure'].measure",
    "logs": "sys.modules['deployer.remote.agent.logs'].logs",
    "perform": "sys.modules['deployer.remote.agent.perform'].perform",
    **{verb: f"sys.modules['deployer.remote.agent.site_lock'].{verb}" for verb in ("acquire", "holder", "release")},
    **{verb: f"sys.modules['deployer.remote.agent.generations'].{verb}" for verb in ("stage", "close", "recall")},
}


def of(verb: str, request: Request) -> bytes:
    """The program for `python3 -`: the agent's parts for this verb and the request, which so never shows in argv.

    Its answer is the verb's, or {denied: uid} when it does not run as root.
    """
    parts = [(name, _source(name)) for name in PARTS[verb]]
    encoded = base64.b64encode(json.dumps(request).encode()).decode()
    return FRAME.format(begin=BEGIN, parts=parts, request=encoded, verb=VERBS[verb], root=ROOT).encode()


def has_begun(printed: bytes) -> bool:
    """Whether the agent has begun, given what came on stdout; a login, sudo or Python may have failed before."""
    return BEGIN.encode() in printed


def reply_in(printed: bytes) -> bytes:
    """Given what came on stdout, return the line that is the agent's reply; what stands behind it is a logout's."""
    return printed.partition(BEGIN.encode())[2].lstrip().partition(b"\n")[0]


@functools.cache
def _source(name: str) -> str:
    return resources.files("deployer.remote.agent").joinpath(name + ".py").read_text()
