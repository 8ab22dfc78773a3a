"""Heat's own list of engines, over its REST API through the proxy, as any client sees it."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

LIMIT = 10.0  # seconds for one request


@dataclass(frozen=True)
class HeatApi:
    """Where Heat answers, and the token that opens it; neither is ever printed."""

    url: str
    token: str

    def up(self, engine: str) -> set[str]:
        """The ids of an engine's worker processes that Heat reports up."""
        rows = _json(f"{self.url}/services", {"X-Auth-Token": self.token})[1]["services"]
        return {row["engine_id"] for row in rows if row["host"] == engine and row["status"] == "up"}


def opened(clouds: Path, cloud: str = "heat-lab") -> HeatApi:
    """Log in as a cloud of a clouds.yaml and find its Heat."""
    auth = YAML(typ="safe").load(clouds)["clouds"][cloud]["auth"]
    domain = {"name": auth["user_domain_name"]}
    user = {"name": auth["username"], "password": auth["password"], "domain": domain}
    scope = {"project": {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}}
    asked = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    headers, body = _json(f"{auth['auth_url']}/auth/tokens", {"Content-Type": "application/json"}, asked)
    heat = next(each for each in body["token"]["catalog"] if each["type"] == "orchestration")
    url = next(each["url"] for each in heat["endpoints"] if each["interface"] == "public")
    return HeatApi(url, headers["X-Subject-Token"])


def _json(url: str, headers: Mapping[str, str], body: Any = None) -> tuple[Mapping[str, str], Any]:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, dict(headers)), timeout=LIMIT) as answer:
        return answer.headers, json.load(answer)
