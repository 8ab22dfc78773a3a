"""What we did to a host, remembered on it."""

import json
import os

from deployer.remote.agent import atomic

MODE = 0o600  # of our records on a host: nobody but us reads them


def read(path):
    """What we did to this host: {files: {path: {original}}, folders: [path], stopped: [{unit, ...}]}."""
    ledger = {"files": {}, "folders": [], "stopped": []}
    if path and os.path.exists(path):
        with open(path) as stream:
            ledger.update(json.load(stream))
    return ledger


def write(path, ledger):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    atomic.replace(path, json.dumps(ledger, indent=1).encode(), MODE)
