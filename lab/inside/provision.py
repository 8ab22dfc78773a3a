"""Runs once inside a controller that has no network: databases, broker user, Keystone's content, Heat's schema.

Stdlib only. Secrets come from a file that root alone reads and go to programs by stdin, environment or file.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOME = Path("/etc/heat-lab")
KEYSTONE = "http://127.0.0.1:5000"
HEAT_CONF = Path("/etc/heat/heat.conf")
UNITS = ["keystone.service", "heat-api.service", "heat-api-cfn.service", "heat-engine.service"]


def main():
    settings = json.loads((HOME / "secrets.json").read_text())
    create_databases(settings)
    with ThreadPoolExecutor(2) as pool:
        schema = pool.submit(run, "/opt/heat/bin/heat-manage", "--config-file", str(HEAT_CONF), "db_sync", user="heat")
        set_up_keystone(settings)
        create_broker_user(settings)
        schema.result()
    domain = fill_keystone(settings)
    HEAT_CONF.write_text(HEAT_CONF.read_text().replace("STACK_USER_DOMAIN_ID", domain))
    run("systemctl", "stop", "keystone.service")
    run("systemctl", "enable", *UNITS)
    run("systemctl", "disable", "lab-provision.service")
    (HOME / "provisioned").write_text("yes\n")


def run(*argv, text=None, user=None, env=None):
    """Run a program, as `user` if one is named, and fail loudly if it fails."""
    began = time.monotonic()
    prefix = ["runuser", "-u", user, "--"] if user else []
    feed = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    subprocess.run([*prefix, *argv], check=True, text=True, env={**os.environ, **(env or {})}, **feed)
    print(f"{argv[0]} {argv[-1]}: {time.monotonic() - began:.1f} s", flush=True)


def create_databases(settings):
    """Create both databases; their users may log in from everywhere, as a database beside many nodes must allow."""
    lines = []
    for name in ("keystone", "heat"):
        password = settings[f"{name}_database"]
        lines += [
            f"CREATE DATABASE {name} CHARACTER SET utf8;",
            f"CREATE USER '{name}'@'%' IDENTIFIED BY '{password}';",
            f"GRANT ALL PRIVILEGES ON {name}.* TO '{name}'@'%';",
        ]
    run("mariadb", text="\n".join(lines))


def create_broker_user(settings):
    """Create Heat's user of RabbitMQ; a file of definitions keeps its password out of any argument list."""
    salt = os.urandom(4)
    digest = base64.b64encode(salt + hashlib.sha256(salt + settings["broker"].encode()).digest()).decode()
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    definitions = {
        "users": [
            {
                "name": "heat",
                "password_hash": digest,
                "tags": "",
                "hashing_algorithm": "rabbit_password_hashing_sha256",
            }
        ],
        "vhosts": [{"name": "/"}],
        "permissions": [{"user": "heat", "vhost": "/", **everything}],
    }
    path = Path("/var/lib/rabbitmq/definitions.json")
    path.write_text(json.dumps(definitions))
    shutil.chown(path, "rabbitmq", "rabbitmq")
    path.chmod(0o600)
    run("rabbitmqctl", "import_definitions", str(path))
    path.unlink()


def set_up_keystone(settings):
    """Fill Keystone's schema and keys, make its first administrator and endpoint, and start it."""
    manage, owner = "/opt/keystone/bin/keystone-manage", ["--keystone-user=keystone", "--keystone-group=keystone"]
    run(manage, "db_sync", user="keystone")
    run(manage, "fernet_setup", *owner)
    run(manage, "credential_setup", *owner)
    address = f"http://{settings['address']}:5000"
    first = {
        "OS_BOOTSTRAP_PASSWORD": settings["admin"],
        "OS_BOOTSTRAP_REGION_ID": "RegionOne",
        "OS_BOOTSTRAP_ADMIN_URL": address,
        "OS_BOOTSTRAP_INTERNAL_URL": address,
        "OS_BOOTSTRAP_PUBLIC_URL": address,
    }
    run(manage, "bootstrap", user="keystone", env=first)
    run("systemctl", "start", "keystone.service")


def fill_keystone(settings):
    """Create Heat's user, roles, stack domain, endpoints and a demo project; return the stack domain's id."""
    identity = Identity(settings["admin"])
    roles = {role["name"]: role["id"] for role in identity.get("roles")["roles"]}
    for name in ("heat_stack_owner", "heat_stack_user", "service", "member"):
        roles.setdefault(name, None)
        roles[name] = roles[name] or identity.create("role", name=name)
    service = identity.create("project", name="service", domain_id="default")
    heat = identity.create("user", name="heat", domain_id="default", password=settings["service"])
    demo = identity.create("project", name="demo", domain_id="default")
    person = identity.create("user", name="demo", domain_id="default", password=settings["demo"])
    domain = identity.create("domain", name="heat", description="Users that stacks make")
    warden = identity.create("user", name="heat_domain_admin", domain_id=domain, password=settings["domain_admin"])
    for scope, user, role in (
        (f"projects/{service}", heat, "admin"),
        (f"projects/{service}", heat, "service"),
        (f"projects/{demo}", person, "member"),
        (f"projects/{demo}", person, "heat_stack_owner"),
        (f"domains/{domain}", warden, "admin"),
    ):
        identity.call("PUT", f"{scope}/users/{user}/roles/{roles[role]}")
    add_endpoints(identity, settings["address"])
    return domain


def add_endpoints(identity, address):
    """Put Heat's two services in the catalog."""
    urls = {
        "orchestration": ("heat", f"http://{address}:8004/v1/%(tenant_id)s"),
        "cloudformation": ("heat-cfn", f"http://{address}:8000/v1"),
    }
    for kind, (name, url) in urls.items():
        service = identity.create("service", name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            identity.create("endpoint", service_id=service, interface=interface, url=url, region_id="RegionOne")


class Identity:
    """Keystone's API with the administrator's token."""

    def __init__(self, password):
        self.token = None
        user = {"name": "admin", "domain": {"id": "default"}, "password": password}
        login = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
        }
        wait_for_keystone()
        with self.send("POST", "auth/tokens", {"auth": login}) as answer:
            self.token = answer.headers["X-Subject-Token"]

    def send(self, verb, path, body=None):
        """Send one request and return the open answer; an error status raises."""
        headers = {"Content-Type": "application/json", **({"X-Auth-Token": self.token} if self.token else {})}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{KEYSTONE}/v3/{path}", data=data, headers=headers, method=verb)
        return urllib.request.urlopen(request, timeout=60)

    def call(self, verb, path, body=None):
        """Send one request and return its JSON, or nothing."""
        with self.send(verb, path, body) as answer:
            return json.loads(answer.read() or b"null")

    def get(self, path):
        """Read one resource."""
        return self.call("GET", path)

    def create(self, kind, **fields):
        """Create one resource and return its id."""
        return self.call("POST", f"{kind}s", {kind: fields})[kind]["id"]


def wait_for_keystone():
    """Wait until Keystone answers, for a minute at most."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{KEYSTONE}/v3", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


if __name__ == "__main__":
    main()
