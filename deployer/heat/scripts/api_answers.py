"""Wait until APIs of this host answer as clients ask: the REST API with a token, the CFN API with a signature.

VALUES: conf (path of heat.conf), place (ADDRESS:%s of an API, given its port), secure (over TLS), clients (the URL at
which clients reach the CFN API now), seconds. Arguments: api:PORT and cfn:PORT, one for each API. A health check
answers without Keystone, database and engines; these requests need all of them. They are those of Heat's own service
user; the key for its signature is deleted again. Printed: what an operator should know about a CFN API that does not
serve clients, and did not before.
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import ssl
import sys
import time
from urllib import parse

from keystoneauth1 import exceptions

from deployer.heat.scripts import keystone

SECONDS = VALUES["seconds"]  # noqa: F821 (given before this text)
SCHEME = "https" if VALUES["secure"] else "http"  # noqa: F821
POLL_INTERVAL = 0.5  # seconds: no event announces that what an API needs is there
ANSWER_TIMEOUT = 15  # seconds for one answer
GOOD, REFUSED, BROKEN = 200, 401, 500


def main():
    user = keystone.ServiceUser(VALUES["conf"], ANSWER_TIMEOUT)  # noqa: F821
    deadline = time.monotonic() + SECONDS
    targets = [each.split(":") for each in sys.argv[1:]]
    for _, port in [each for each in targets if each[0] == "api"]:
        path = "/v1/%s/stacks?limit=1" % (user.project() or "-")
        await_answer(place(port), lambda _, path=path: (path, {"X-Auth-Token": user.token()}), deadline)
    apis = [place(port) for kind, port in targets if kind == "cfn"]
    if apis:
        ask_cfn(user, apis, deadline)


def ask_cfn(user, apis, deadline):
    """A request that is signed as AWS's clients do; where Keystone gives no key for it, none can be."""
    try:
        with user.ec2_key() as key:
            for api in apis:
                compare(api, await_answer(api, lambda where: signed(where, *key), deadline), key)
    except exceptions.ClientException as error:
        print("no CFN request was tried: Keystone gives no key for it (%s)" % first_line(error))


def compare(api, status, key):
    """A refusal is no fault of this API where clients get the same now."""
    now = VALUES["clients"]  # noqa: F821
    if status == GOOD:
        return
    there, _ = answer(now, *signed(now, *key))
    if there == GOOD:
        sys.exit("%s answers a CFN request with %d, where clients get %d at %s" % (api, status, GOOD, now))
    print("%s answers a signed CFN request with %d; at %s clients get %s" % (api, status, now, there or "no answer"))


def place(port):
    return "%s://%s" % (SCHEME, VALUES["place"] % port)  # noqa: F821


def signed(where, access, secret):
    """A request for all stacks of the user, by version 2 of AWS's signatures (keystoneclient.contrib.ec2.utils)."""
    host = parse.urlsplit(where).netloc
    asked = {
        "Action": "ListStacks",
        "AWSAccessKeyId": access,
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "Version": "2010-05-15",
    }
    query = "&".join("%s=%s" % (name, parse.quote(asked[name], safe="-_~")) for name in sorted(asked))
    digest = hmac.new(secret.encode(), ("GET\n%s\n/v1/\n%s" % (host, query)).encode(), hashlib.sha256).digest()
    return "/v1/?%s&Signature=%s" % (query, parse.quote(base64.b64encode(digest).decode(), safe="")), {"Host": host}


def await_answer(api, request, deadline):
    """Ask until the answer is no failure, and return its status; a token that is refused stays refused."""
    while True:
        path, headers = request(api)
        status, why = answer(api, path, headers)
        is_refused = status == REFUSED and "X-Auth-Token" in headers
        if status and status < BROKEN and not is_refused:
            return status
        if time.monotonic() > deadline or is_refused:
            sys.exit("%s answers %s%s" % (api, status or "nothing", ": " + why if why else ""))
        time.sleep(POLL_INTERVAL)


def answer(api, path, headers):
    """The status, 0 for none, and the beginning of what is said of a failure."""
    where = parse.urlsplit(api)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=ANSWER_TIMEOUT)
    if where.scheme == "https":  # it is this very host, or is only compared with: nothing of it is believed
        unverified = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(where.hostname, where.port, timeout=ANSWER_TIMEOUT, context=unverified)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path, headers=headers)
            told = connection.getresponse()
            body = told.read(2000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, "%s: %s" % (type(error).__name__, error)
    return told.status, " ".join(body.split())[:300] if told.status >= REFUSED else ""


def first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]


main()
