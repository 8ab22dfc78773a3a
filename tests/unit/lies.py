"""How hosts lie: replies with some of their values, names and fields in place of others, by hypothesis."""

import copy

from hypothesis import strategies as st

STEERING = "\x1b]0;owned\x07\x1b[2K\x9b31m\u202egnp.exe\u2066"
HOSTILE = (
    None,
    True,
    -1,
    0,
    1,
    65535,
    10**9,
    10**30,
    1.5,
    -1e308,
    "",
    "x",
    STEERING,
    "name\nhostA: all is well",
    "../../../../evil",
    "/etc/heat/../cron.d/evil",
    "/etc/heat/evil",
    "10.9.9.9",
    "--all",
    "x" * 3000,
    "active",
    "{" * 2000,
    '{"rows": [[]], "queues": 1}',
    "\ud800",
    "amqp://user:pass@" * 600,
    [],
    [[]],
    {},
    {"index": 0, "why": STEERING},
)


def places(value, way=()):
    """Every place in a value of JSON, as the keys that lead there."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in parts for found in ((*way, key), *places(part, (*way, key)))]


@st.composite
def mutations(draw):
    """A function that returns a lie in place of a reply."""
    change = st.tuples(st.integers(0, 10**6), st.integers(0, 3), st.sampled_from(HOSTILE))
    changes = draw(st.lists(change, min_size=1, max_size=3))

    def lie(reply):
        reply = copy.deepcopy(reply)
        for where, how, value in changes:
            _change(reply, where, how, value)
        return reply

    lie.__name__ = repr(changes)
    return lie


def _change(reply, where, how, value):
    found = places(reply)
    if not found:
        return
    *way, last = found[where % len(found)]
    inner = reply
    for key in way:
        inner = inner[key]
    if how == 0 and isinstance(inner, dict) and isinstance(value, str):
        inner[value] = inner.pop(last)
    elif how == 1:
        del inner[last]
    else:
        inner[last] = copy.deepcopy(value)
