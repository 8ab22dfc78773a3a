"""A source and a proxy whose every secret has the same word in it, to be searched in what is shown."""

CANARY = "canary"
CONF = f"""\
[DEFAULT]
transport_url = rabbit://heat:{CANARY}-broker@127.0.0.1:5672/heat
auth_encryption_key = {CANARY}-0123456789
stack_domain_admin_password = {CANARY}-domain

[database]
connection = mysql+pymysql://heat:{CANARY}-database@127.0.0.1/heat?charset=utf8

[keystone_authtoken]
password = {CANARY}-keystone

[heat_api]
bind_host = 10.0.0.1
bind_port = 8004
"""
PROXY = f'stats: {{bind: "127.0.0.1:1936", user: operator, password: {CANARY}-stats}}'
