"""Counting from a journal leaves out what the counting itself caused."""

from benchmarks import round_trips

OWN_LINES = [
    "Accepted publickey for operator from 198.18.2.1 port 4242 ssh2: ED25519 SHA256:x",
    "operator : PWD=/home/operator ; USER=root ; COMMAND=/usr/bin/journalctl --quiet --after-cursor=s=1",
]


def test_own_reading_is_not_counted():
    assert round_trips.tally(OWN_LINES, "4242") == {"connections": 0, "requests": 0}


def test_connections_and_requests_of_others_are_counted():
    others = [
        "Accepted publickey for operator from 198.18.2.1 port 42421 ssh2: ED25519 SHA256:x",
        "operator : PWD=/home/operator ; USER=root ; COMMAND=/usr/bin/python3 -",
        "pam_unix(sudo:session): session opened for user root(uid=0) by (uid=1000)",
        "operator : PWD=/home/operator ; USER=root ; COMMAND=/usr/bin/python3 -",
    ]

    assert round_trips.tally(others + OWN_LINES, "4242") == {"connections": 1, "requests": 2}
