"""Heat's service user at Keystone, by the settings that keystonemiddleware reads: for programs in Heat's Python."""

import contextlib

from keystoneauth1 import adapter, loading
from keystoneauth1 import session as sessions
from oslo_config import cfg

GROUP = "keystone_authtoken"
# As keystonemiddleware has them (auth_token/_opts.py of 13.0), whose import would take 0.3 s of a core.
OPTIONS = (
    cfg.StrOpt("interface", default="internal"),
    cfg.StrOpt("region_name"),
    cfg.StrOpt("cafile"),
    cfg.StrOpt("certfile"),
    cfg.StrOpt("keyfile"),
    cfg.BoolOpt("insecure", default=False),
)


def registered(conf):
    """A configuration that knows the options of the group."""
    conf.register_opts(OPTIONS, GROUP)
    loading.register_auth_conf_options(conf, GROUP)
    return conf


def login(conf):
    """The plugin that gets tokens for the service user."""
    return loading.load_auth_from_conf_options(conf, GROUP)


def session(conf, seconds):
    """A session that waits so long for an answer."""
    section = conf[GROUP]
    client = (section.certfile, section.keyfile) if section.certfile and section.keyfile else section.certfile
    return sessions.Session(verify=not section.insecure and (section.cafile or True), cert=client, timeout=seconds)


def place_in_catalogue(conf):
    """Which endpoint of Keystone the middleware asks (auth_token/__init__.py, _create_identity_server)."""
    section = conf[GROUP]
    return {"service_type": "identity", "interface": section.interface, "region_name": section.region_name}


def api(conf, auth, session):
    """Keystone's own API at that endpoint."""
    return adapter.Adapter(session, auth=auth, version="3", **place_in_catalogue(conf))


class ServiceUser:
    """The user of a heat.conf."""

    def __init__(self, path, seconds):
        self.conf = registered(cfg.ConfigOpts())
        self.conf([], project="heat", default_config_files=[path], default_config_dirs=[])
        self.auth, self.session = login(self.conf), session(self.conf, seconds)

    def token(self):
        return self.auth.get_token(self.session)

    def project(self):
        return self.auth.get_project_id(self.session)

    @contextlib.contextmanager
    def ec2_key(self):
        """A pair of access and secret that is the user's for as long as the block runs."""
        identity = api(self.conf, self.auth, self.session)
        keys = "/users/%s/credentials/OS-EC2" % self.auth.get_user_id(self.session)
        made = identity.post(keys, json={"tenant_id": self.project()}).json()["credential"]
        try:
            yield made["access"], made["secret"]
        finally:
            identity.delete("%s/%s" % (keys, made["access"]))
