"""conf_redaction shows what there is in heat.conf, and never a secret."""

import heat_confs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.heat.conf import conf_redaction, grammar

# Secrets that cannot occur by chance, with every sign in them that could end a value, a login or a word early.
_PIECES = st.text(alphabet="ab1:@/?#,;$%&='\"\\ []{}()~", max_size=4)
secrets = (
    st.tuples(_PIECES, _PIECES).map(lambda parts: f"S3{parts[0]}cr3t{parts[1]}X7").filter(lambda s: "://" not in s)
)
PARTS = ("S3", "cr3t", "X7")

FORMS = (
    "[a]\npassword = {}\n",
    "[a]\nadmin_token={}",
    "[a]\npassword =\n   {}\n   {}\n",
    "[a]\nauth_encryption_key : '{}'\n",
    "[a]\n#stack_domain_admin_password = {}\n",
    "[a]\n; my-own-secret: {}\n;   {}\n",
    "[a]\nbackend_argument = password:{}\n",
    "[database]\nconnection = mysql+pymysql://heat:{}@db.example.org:3306/heat\n",
    "[database]\nconnection = \"mysql://heat:{}@[2001:db8::1]/heat?charset=utf8\"\n",
    "[database]\nconnection = mysql://heat:x\n   {}@db.example.org/heat\n",
    "# connection = mysql://heat:{}@127.0.0.1/heat\n",
    "# by hand: mysql://heat:{}@127.0.0.1/heat\n",
    "[a]\nunknown = amqp://:{}@host.example.org\n",
    "[a]\nbackend_argument = url:redis://:{}@host.example.org:6379\n",
    "password = {}\n",
    "mysql://heat:{}@127.0.0.1/heat\n",
    "[a]\n  password = {}\n",
    "[a]\npassword = \0{}\n   {}\n",
)  # fmt: skip


@heat_confs.examples(300)
@given(st.sampled_from(FORMS), secrets)
def test_redaction_never_shows_any_part_of_a_secret(form, secret):
    shown = heat_confs.as_redacted(form.replace("{}", secret))

    assert not any(part in shown for part in PARTS)
    assert "***" in shown


@heat_confs.examples(60)
@given(st.text(alphabet="ab1:$%&=~*", min_size=1, max_size=6).map(lambda text: f"S3{text}X7"), st.data())
def test_redaction_shows_the_hosts_of_a_broker_with_many(secret, data):
    count = data.draw(st.integers(1, 3))
    value = ",".join(f"u{number}:{secret}@host{number}:5672" for number in range(count))

    shown = heat_confs.as_redacted(f"[DEFAULT]\ntransport_url = rabbit://{value}/vhost?ssl=1\n")

    assert shown == f"[DEFAULT]\ntransport_url = rabbit://{value.replace(secret, '***')}/vhost?ssl=1"


@heat_confs.examples(100)
@given(heat_confs.files() | heat_confs.anything)
def test_diff_of_any_text_shows_each_of_its_lines_once(text):
    lines = grammar.lines_of(text)

    assert heat_confs.as_redacted(text).count("\n") + 1 == max(len(lines), 1)


@heat_confs.examples(100)
@given(st.sampled_from(FORMS), secrets, secrets)
def test_diff_never_shows_a_secret_but_shows_that_it_changed(form, old, new):
    before, after = (f"[x]\nhost = a\n{form.replace('{}', secret)}[y]\n" for secret in (old, new))

    shown = conf_redaction.redacted_diff(before, after, "/etc/heat/heat.conf")

    assert not any(part in shown for part in PARTS)
    assert bool(shown) == (before != after)
    assert ("(changed" in shown) == (old != new)


def test_diff_shows_that_a_secret_changed_and_every_other_change_as_it_is():
    texts = [f"[a]\npassword = {word}\nurl = http://{host}\n" for word, host in (("old", "h1"), ("new", "h2"))]

    shown = conf_redaction.redacted_diff(*texts, "heat.conf")

    assert shown.splitlines()[:4] == ["--- heat.conf (before)", "+++ heat.conf (after)", "@@ -1,3 +1,3 @@", " [a]"]
    assert shown.splitlines()[4:6] == ["-password = ***", "-url = http://h1"]
    assert shown.splitlines()[6:] == ["+password = *** (changed)", "+url = http://h2"]


def test_diff_of_a_host_in_a_url_does_not_show_that_its_password_changed():
    texts = [f"[database]\nconnection = mysql://u:pass@{host}/heat\n" for host in ("127.0.0.1", "192.0.2.1")]

    shown = conf_redaction.redacted_diff(*texts, "heat.conf")

    assert shown.splitlines()[-2:] == [
        "-connection = mysql://u:***@127.0.0.1/heat",
        "+connection = mysql://u:***@192.0.2.1/heat",
    ]


def test_redaction_hides_a_line_that_is_no_option():
    assert heat_confs.as_redacted("[a]\nhunter2\n  hunter3\n[hunter4\n") == "[a]\n***\n  ***\n***"


def test_diff_of_equal_files_is_empty():
    assert conf_redaction.redacted_diff("[a]\npassword = x\n", "[a]\npassword = x\n", "heat.conf") == ""


@pytest.mark.parametrize(
    "line",
    ["auth_url = http://localhost:5000/v3", "#password = <None>", "password =", "token_cache_time = 300",
     "key_file = /etc/heat/key.pem", "allow_credentials = true", "keys = a", "x = a@b.example.org", "connection = $url",
     "allowed_auth_uris = http://a.example.org:5000/v3,https://b.example.org", "# mail admin@example.org: see http://x"],
)  # fmt: skip
def test_redaction_leaves_what_holds_no_secret(line):
    assert heat_confs.as_redacted(f"[a]\n{line}\n") == f"[a]\n{line}"


def test_secrets_of_a_file_are_those_that_its_reader_gets():
    text = (
        "[DEFAULT]\n# password = of a comment\ntransport_url = rabbit://u:on%40e@h:5672/\n"
        "[keystone_authtoken]\npassword = two$$\nusername = heat\nservice_token =\n"
    )

    assert conf_redaction.secrets_in(text) == {"on%40e", "two$$"}
