"""What the flags are for, in the words of `--help`; commands share most of them."""

INVENTORY = "YAML file of hosts and what they run, or a name in inventories/"
COMMON = {"inventory": INVENTORY}
YES = {
    **COMMON,
    "yes": "do not ask before the first change",
    "lock-wait": "seconds to wait for another command that changes the site",
}
LIMIT = "only these hosts: hostB,hostC"
PATIENT = {
    **YES,
    "wait": "seconds to wait for requests and work in progress",
    "force": "do not wait longer for them, and go on even if no process of a kind is left to serve",
}
HOST = {"host": "the host, as the inventory names it"}
COUNT = {**YES, **HOST, "count": "how many to add"}
FEWER = {**PATIENT, **HOST, "count": "how many to remove"}
ON_ERROR = {"on-error": "when a host fails: stop, continue with the others, or revert all hosts to what they had"}
