"""Creates, updates, reads and deletes a stack through Heat's REST API, with timeouts, and never leaves it behind."""

import secrets
import time
from typing import Any

from deployer.verify.smoke.clouds import Cloud
from deployer.verify.smoke.result import CheckFailed, Recorder

PREFIX = "heat-scaleout-verify-"
FIRST, SECOND = 3, 5
STACK_TIMEOUT = 180.0  # seconds for one action of the stack
DELETIONS = 3  # a deletion that fails may well succeed when asked again
LATEST = 20.0  # seconds after which a creation that was asked for is not begun any more
POLL_INTERVAL = 0.3  # seconds between two requests: Heat announces nothing to its clients
TEMPLATE = {
    "heat_template_version": "2016-10-14",
    "description": "Made by heat-scaleout to prove that Heat works; deleted at once.",
    "parameters": {"members": {"type": "number"}},
    "resources": {
        "group": {
            "type": "OS::Heat::ResourceGroup",
            "properties": {"count": {"get_param": "members"}, "resource_def": {"type": "OS::Heat::RandomString"}},
        }
    },
    "outputs": {"values": {"value": {"get_attr": ["group", "value"]}}},
}


def prove(cloud: Cloud, recorder: Recorder) -> None:
    """Create a group of 3, make it 5, read 5 values, and delete it whatever happened before, interrupts included."""
    stack = Stack(cloud.connection.orchestration, PREFIX + secrets.token_hex(4))
    try:
        if recorder.tried(
            stack.name, f"a stack with a group of {FIRST} is created", lambda: stack.create(FIRST)
        ) and recorder.tried(stack.name, f"it is updated to {SECOND}", lambda: stack.update(SECOND)):
            recorder.tried(stack.name, f"its {SECOND} outputs are read", lambda: stack.read(SECOND))
    finally:
        recorder.tried(stack.name, "it is deleted", stack.delete)


class Stack:
    """One stack by its name. `heat` is openstacksdk's client of the REST API, which sends a Keystone token."""

    def __init__(self, heat: Any, name: str) -> None:
        self._heat = heat
        self.name = name
        self._path = f"/stacks/{name}"
        self._may_come = 0.0  # until when a stack may still appear whose creation got no clear answer

    def create(self, members: int) -> str:
        """Create the stack with so many members and wait until Heat is done."""
        body = {"stack_name": self.name, "disable_rollback": True, **_body(members)}
        self._may_come = time.monotonic() + LATEST
        answer = self._heat.request("/stacks", "POST", json=body, raise_exc=False)
        if answer.status_code < 500:
            self._may_come = 0.0
        made = _accepted(answer).json()
        self._path = f"/stacks/{self.name}/{made['stack']['id']}"
        return self._done("CREATE")

    def update(self, members: int) -> str:
        """Change how many members the stack has and wait until Heat is done."""
        self._sent(self._path, "PUT", json=_body(members))
        return self._done("UPDATE")

    def read(self, members: int) -> str:
        """Read the value of every member; raise CheckFailed unless there are that many different ones."""
        outputs = {each["output_key"]: each["output_value"] for each in self._read("true")["outputs"]}
        values = outputs.get("values")
        if not isinstance(values, list) or len(set(map(str, filter(None, values)))) != members:
            raise CheckFailed(f"{members} different values were expected as output, Heat gave {values!r}")
        return f"{members} different values"

    def delete(self) -> str:
        """Delete the stack, by its name where no answer told its id, and wait until Heat does not know it any more."""
        why = ""
        for _ in range(DELETIONS):
            answer = self._deletion()
            if answer.status_code == 404:
                return "there was none"
            if answer.status_code >= 500:  # an engine that ends loses the requests it has taken
                why = f"Heat answered {answer.status_code}"
                continue
            _accepted(answer)
            status = self._awaited("DELETE_COMPLETE", "DELETE_FAILED")
            if status == "DELETE_COMPLETE":
                return status
            why = f"{status}: {self._read('false').get('stack_status_reason')}"
        raise CheckFailed(f"it is still there: {why}")

    def _deletion(self) -> Any:
        """Ask for the deletion, for as long as the stack may still appear, and return Heat's answer."""
        while True:
            answer = self._heat.request(self._path, "DELETE", raise_exc=False)
            if answer.status_code != 404 or time.monotonic() > self._may_come:
                return answer
            time.sleep(POLL_INTERVAL)

    def _done(self, action: str) -> str:
        """Wait until an action ends, and return how; raise CheckFailed unless it ends well."""
        status = self._awaited(f"{action}_COMPLETE", f"{action}_FAILED", "DELETE_COMPLETE")
        if status != f"{action}_COMPLETE":
            raise CheckFailed(f"{status}: {self._read('false').get('stack_status_reason')}")
        return status

    def _awaited(self, *ends: str) -> str:
        deadline = time.monotonic() + STACK_TIMEOUT
        while (status := self._read("false")["stack_status"]) not in ends:
            if time.monotonic() > deadline:
                raise CheckFailed(f"still {status} after {STACK_TIMEOUT:.0f} s")
            time.sleep(POLL_INTERVAL)
        return status

    def _read(self, outputs: str) -> dict[str, Any]:
        answer = self._sent(self._path, "GET", params={"resolve_outputs": outputs})
        return {"stack_status": "DELETE_COMPLETE"} if answer is None else answer.json()["stack"]

    def _sent(self, path: str, verb: str, **what: Any) -> Any:
        """Send a request about the stack and return the answer, None when Heat does not know the stack."""
        answer = self._heat.request(path, verb, raise_exc=False, **what)
        return None if answer.status_code == 404 else _accepted(answer)


def _accepted(answer: Any) -> Any:
    if answer.status_code >= 300:
        raise CheckFailed(f"Heat answered {answer.status_code}: {answer.text[:500]}")
    return answer


def _body(members: int) -> dict[str, Any]:
    return {"template": TEMPLATE, "parameters": {"members": members}, "timeout_mins": int(STACK_TIMEOUT // 60)}
