"""The program that a host runs for one request: the agent parts that it needs; the request; its reply. Pure."""

import functools
import json
from importlib import resources

from deployer.model.wire import Request

# Takes its program from stdin and leaves what comes behind it there: the request, and what is sent to who goes on
# listening. -I and -S: root must load nothing from the folder that it is started in, and needs nothing but Python.
LOADER = "import sys;b=sys.stdin.buffer;exec(b.read(int(b.readline())))"
ARGV = ("python3", "-I", "-S", "-c", LOADER)
BEGIN = "heat-scaleout-agent"  # the line before a reply: what stands before it is a login profile's, or a program's

# A request that changes nothing which runs yields to the services of the host. None does that holds a lock for long,
# or starts, drains or stops something: clients would wait for it.
YIELDS = "priority"
OBSERVE = ("exclusive", "sockets", "atomic", "journal", "ledger", "certificates", "programs", "measure", "observe")
PARTS = {
    "observe": (YIELDS, *OBSERVE),
    "watch": (YIELDS, *OBSERVE, "usage"),
    "measure": (YIELDS, "sockets", "programs", "measure"),
    "logs": (YIELDS, "sockets", "atomic", "journal", "ledger", "generations", "logs"),
    "perform": (
        *OBSERVE,
        "haproxy_state",
        "socket_takeover",
        "warm_up",
        "probes",
        "seamless_restart",
        "files",
        "progress",
        "perform",
    ),
    **dict.fromkeys(("acquire", "holder", "release"), ("site_lock",)),
    **dict.fromkeys(("stage", "recall"), (YIELDS, "atomic", "journal", "ledger", "generations")),
    "close": ("atomic", "journal", "ledger", "generations"),
}
ROOT = 0  # as nobody else it would find files and records missing that it may not read
# The agent's files become the modules they are here, so that they import one another in both places.
# No later Python is needed for these lines than for what they say.
FRAME = """\
import json, os, sys, types
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
    if name == {yields!r}:
        module.yield_to_services()
request = sys.stdin.buffer.readline()
if request:
    priority = sys.modules.get("deployer.remote.agent." + {yields!r})
    if priority:  # again, if the request was long in coming
        priority.yield_to_services()
    json.dump({verb}(json.loads(request)), sys.stdout)
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
    """What `ARGV` reads from stdin for one request."""
    return program(verb) + request_line(request)


def program(verb: str) -> bytes:
    """The agent's parts for a verb, as `ARGV` reads them; then it waits for a request, and ends where none comes.

    Its answer is the verb's, or {denied: uid} when it does not run as root.
    """
    source = source_of(verb).encode()
    return b"%d\n" % len(source) + source


def source_of(verb: str) -> str:
    """The program for a verb in Python."""
    parts = [(name, _source(name)) for name in PARTS[verb]]
    return FRAME.format(begin=BEGIN, parts=parts, verb=VERBS[verb], root=ROOT, yields=YIELDS)


def request_line(request: Request) -> bytes:
    """A request as the program reads it; it never shows in argv."""
    return json.dumps(request).encode() + b"\n"


def has_begun(printed: bytes) -> bool:
    """Whether the agent has begun, given what came on stdout; a login, sudo or Python may have failed before."""
    return BEGIN.encode() in printed


def reply_in(printed: bytes) -> bytes:
    """Given what came on stdout, return the line that is the agent's reply; what stands behind it is a logout's."""
    return printed.partition(BEGIN.encode())[2].lstrip().partition(b"\n")[0]


@functools.cache
def _source(name: str) -> str:
    return resources.files("deployer.remote.agent").joinpath(name + ".py").read_text()
