"""What tests of hosts behind SSH servers of this machine share: keys, a configuration, and whether a host answered."""

import os

import paramiko

from deployer import errors

HOST_KEY, JUMP_KEY, CLIENT_KEY, BASTION_KEY = (paramiko.ECDSAKey.generate() for _ in range(4))
TARGET = """
Host hostB
    Port {port}
    User operator
    IdentityFile HERE/key
    UserKnownHostsFile HERE/known_hosts
"""


def is_here(reply):
    return not isinstance(reply, errors.DeployerError) and reply["uid"] == os.geteuid()
