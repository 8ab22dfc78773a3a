"""HAProxy on a host in memory: its servers, and the few commands of its master socket that this product sends."""

import re
from typing import Any

STATE_FILE = "/run/heat-scaleout-proxy/drained"
DRAINED = 0x08  # SRV_ADMF_FDRAIN
STAT = "# pxname,svname,scur,stot,status,weight,check_status,addr"
STATE = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
    "srv_agent_addr srv_agent_port"
)


class Haproxy:
    """One that runs, with the text of the configuration that it has read."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self.text: str | None = None  # None: it does not run
        self.drained: set[str] = set()  # section/server
        self.has_old_workers = False

    def read(self, text: str) -> None:
        """Start, or reload: what the file of servers' states says of those that there are is taken over."""
        self.text = text
        path = self._host.root.at(STATE_FILE)
        with open(path) as stream:
            rows = [line.split() for line in stream if not line.startswith(("#", "1\n"))]
        self.drained = {f"{row[1]}/{row[3]}" for row in rows if int(row[6]) & DRAINED} & set(self.rows())

    def binds(self, text: str) -> list[tuple[str, int]]:
        return [(address, int(port)) for address, port in re.findall(r"(?m)^    bind ([\d.]+):(\d+)", text)]

    def serves(self, port: int) -> bool:
        """Whether a server of the section with a port gets requests."""
        section = ""
        for line in (self.text or "").splitlines():
            section = line.split()[1] if line.startswith("listen ") else section
            if re.match(rf"    bind \S+:{port}\b", line):
                return any(f",{section}," in f",{row}" and ",UP,1," in row for row in self.rows().values())
        return False

    def rows(self) -> dict[str, str]:
        """Section/name -> the server's row of `show stat`."""
        rows, section = {}, ""
        there = {f"{each.address}:{each.port}" for each in self._host.reached() if not each.is_deaf}
        for line in (self.text or "").splitlines():
            section = line.split()[1] if line.startswith("listen ") else section
            if line.startswith("    server "):
                _, server, address, *options = line.split()
                is_drained = f"{section}/{server}" in self.drained
                status = "DOWN" if address not in there else "DRAIN" if is_drained else "UP"
                weight = 0 if options[-2:] == ["weight", "0"] else 1
                busy = self._host.busy_servers.get(f"{section}/{server}", 0)
                counted = f"{busy},{self._host.requests}"
                rows[f"{section}/{server}"] = f"{section},{server},{counted},{status},{weight},L7OK,{address}"
        return rows

    def answer(self, question: str) -> str:
        """What the master socket answers to commands that are separated by semicolons."""
        return "".join(self._one(command.removeprefix("@1 ")) for command in question.strip().split(";"))

    def _one(self, command: str) -> str:
        if command.startswith("set server "):
            return self._set(*command.split()[2:])
        answers = {
            "show info": self._info,
            "show stat": lambda: "\n".join([STAT, *self.rows().values(), "", ""]),
            "show servers state": lambda: "\n".join(["1", STATE, *map(self._state, self.rows()), "", ""]),
            "show proc": lambda: "# workers\n" + ("# old workers\n12\n" if self.has_old_workers else ""),
        }
        return answers[command]() if command in answers else "Unknown command.\n"

    def _info(self) -> str:
        return f"Name: HAProxy\ndescription: {re.search(r'description (.*)', self.text)[1]}\n\n"

    def _set(self, server: str, _word: str, state: str) -> str:
        if server not in self.rows():
            return "No such server.\n\n"
        self.drained = self.drained | {server} if state == "drain" else self.drained - {server}
        return "\n"

    def _state(self, server: str) -> str:
        section, _, name = server.partition("/")
        admin = DRAINED if server in self.drained else 0
        return f"3 {section} 1 {name} 10.0.0.2 2 {admin} 1 1 5 6 3 4 6 0 0 0 - 8004 - 0 0 - - 0"
