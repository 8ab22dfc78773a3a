"""Sends Heat's CFN API a request, signed (AWS Signature Version 4) with temporary EC2 credentials of Keystone."""

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from deployer.model.hosts import Secret
from deployer.verify.smoke.clouds import Cloud
from deployer.verify.smoke.result import CheckFailed

LIST_STACKS = {"Action": "ListStacks", "Version": "2010-05-15"}  # the only version of AWS CloudFormation's API
ANSWER = "ListStacksResponse"


def stacks_listed(cloud: Cloud, endpoint: str, region: str) -> str:
    """Ask for the list of stacks as an AWS client would, and return how many there are; raise CheckFailed otherwise."""
    url = f"{endpoint}/?{urlencode(LIST_STACKS)}"
    with credentials(cloud.connection) as (access, secret):
        answer = cloud.get(url, signed(url, access, secret, region))
    if answer.status_code != 200:
        raise CheckFailed(f"{endpoint} answered {answer.status_code}: {answer_text(answer.content)}")
    return f"{number_of_stacks(answer.content)} stacks"


def signed(url: str, access: str, secret: Secret, region: str) -> dict[str, str]:
    """Return the headers that sign a GET of this URL. The Host header is part of it: the URL's own host and port."""
    from botocore import auth, awsrequest
    from botocore import credentials as keys

    request = awsrequest.AWSRequest("GET", url)
    auth.SigV4Auth(keys.Credentials(access, secret.reveal()), "cloudformation", region).add_auth(request)
    return dict(request.headers.items())


def number_of_stacks(content: bytes) -> int:
    """How many stacks an answer to ListStacks names; raise CheckFailed when it is no such answer."""
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise CheckFailed(f"the answer to ListStacks is no XML: {error}") from None
    if _local(root) != ANSWER:
        raise CheckFailed(f"the answer to ListStacks is a {_local(root)}, not a {ANSWER}")
    return sum(1 for each in root.iter() if _local(each) == "StackId")


def answer_text(content: bytes) -> str:
    """The text of an error of the CFN API."""
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError:
        return content[:300].decode("utf-8", "replace").strip() or "nothing"
    return " ".join(" ".join(root.itertext()).split())[:300]


@contextlib.contextmanager
def credentials(connection: Any) -> Iterator[tuple[str, Secret]]:
    """EC2 credentials of the user for the length of a `with`: (access key, secret key)."""
    folder = f"/users/{connection.current_user_id}/credentials/OS-EC2"
    answer = connection.identity.post(folder, json={"tenant_id": connection.current_project_id})
    if answer.status_code >= 300:
        raise CheckFailed(f"Keystone makes no EC2 credentials for this user: it answered {answer.status_code}")
    made = answer.json()["credential"]
    try:
        yield made["access"], Secret(made["secret"])
    finally:
        connection.identity.delete(f"{folder}/{made['access']}")


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
