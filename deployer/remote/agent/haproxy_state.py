"""Keep which servers are drained where HAProxy reads it at every reload, whoever asks for the reload.

The file is its `server-state-file` (configuration manual of HAProxy 2.6, section 3.1), with the drained servers alone:
of every other one the configuration and the checks know better.
"""

import os

from deployer.remote.agent import atomic, programs, sockets

VERSION = "1\n"  # of the file's format, and the whole file when no server is drained
COLUMNS = 20  # up to the SRV record: what follows, as whether the server speaks TLS, is decided by the configuration
MODE = 0o600
DRAINED = 0x08  # SRV_ADMF_FDRAIN among the bits of `srv_admin_state`


def save(step):
    """Given where and by which question, write down which servers are drained now."""
    answer = sockets.ask(step["keep"]["socket"], step["keep"]["send"])
    rows = [line.split() for line in answer.splitlines()]
    names = next((row[1:] for row in rows if row[:1] == ["#"]), [])
    if not names:
        raise programs.Failed("HAProxy did not list the state of its servers: %s" % answer.strip())
    state = names.index("srv_admin_state")
    drained = [row for row in rows if len(row) == len(names) and row[0].isdigit() and int(row[state]) & DRAINED]
    header = ["#"] + names[:COLUMNS]
    lines = [" ".join(row) for row in [header] + [row[:COLUMNS] for row in drained]] if drained else []
    atomic.replace(step["keep"]["file"], (VERSION + "".join(line + "\n" for line in lines)).encode(), MODE)


def reload(step, ledger_path):
    """Have the proxy read a configuration of ours, which alone decides who is drained."""
    if os.path.isdir(os.path.dirname(step["kept"])):
        atomic.replace(step["kept"], VERSION.encode(), MODE)
    return programs.systemctl(step, ledger_path)
