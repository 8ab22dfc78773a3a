"""What the flags are for, in the words of `--help`; commands share most of them."""

INVENTORY = "YAML file of hosts and what they run, or a name in inventories/"
COMMON = {"inventory": INVENTORY}
YES = {
    **COMMON,
    "yes": "do not ask before the first change",
    "lock-wait": "seconds that another command may take to end",
}
LIMIT = "only these hosts: hostB,hostC"
PATIENT = {
    **YES,
    "wait": "seconds that requests and work in progress may take",
    "force": "go on without them after that, and where nobody would be left to serve",
}
COUNT = {**YES, "count": "how many"}
FEWER = {**PATIENT, "count": "how many"}
ON_ERROR = {"on-error": "when a host fails: stop, continue with the others, or revert all to what they had"}
