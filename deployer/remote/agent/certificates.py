"""TLS on a host: whether its files fit and can be read, for which names and until when; connections to a server."""

import grp
import hashlib
import os
import pwd
import ssl
import time


def inspect(asked):
    """Given {certificate, key?, user?, group?} or {ca}: {why, names, left, digest}; `why` is None for usable files."""
    found = {"why": None, "names": [], "left": None, "digest": ""}
    paths = [asked[each] for each in ("certificate", "key", "ca") if each in asked]
    try:
        found["digest"] = digest_of(paths)
        for path in paths if "user" in asked else []:
            require_readable(path, asked)
        if "ca" in asked:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(asked["ca"])
        else:
            load(asked["certificate"], asked.get("key"))
            found.update(details_of(asked["certificate"]))
    except ssl.SSLError as error:
        found["why"] = "%s cannot be used: %s" % (" with ".join(paths), (error.reason or str(error)).replace("_", " "))
    except OSError as error:
        found["why"] = "%s: %s" % (error.filename or paths[0], error.strerror or error)
    return found


def digest_of(paths):
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            digest.update(hashlib.sha256(stream.read()).digest())
    return digest.hexdigest()


def load(certificate, key):
    """Take certificate and key as a server would; HAProxy looks for a key that is not in the file beside it."""
    beside = certificate + ".key"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError:
        if key or not os.path.exists(beside):
            raise
        context.load_cert_chain(certificate, beside, password=lambda: "")


def details_of(certificate):
    """The names of a certificate, and the seconds until it ends by this host's clock."""
    # Nothing public of Python's library reads one from a file.
    read = ssl._ssl._test_decode_cert(certificate)  # type: ignore[attr-defined]
    names = [value for kind, value in read.get("subjectAltName", ()) if kind == "DNS"]
    common = [value for part in read.get("subject", ()) for kind, value in part if kind == "commonName"]
    return {"names": names or common, "left": ssl.cert_time_to_seconds(read["notAfter"]) - time.time()}


def require_readable(path, asked):
    """Raise OSError unless a user can read a file, tried as that user."""
    child = os.fork()
    if not child:
        os._exit(complaint(path, asked))
    code = os.WEXITSTATUS(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, "%s cannot read it (%s)" % (asked["user"], os.strerror(code)), path)


def complaint(path, asked):
    """The error number with which a user of systemd's making cannot open a file; 0 when it can, or is not there."""
    try:
        account = pwd.getpwnam(asked["user"])
        if account.pw_uid != os.geteuid():
            become(account, asked)
        open(path, "rb").close()
    except OSError as error:
        return error.errno or 1
    except KeyError:  # reported by another check
        return 0
    return 0


def become(account, asked):
    group = grp.getgrnam(asked["group"]).gr_gid
    os.initgroups(account.pw_name, group)
    os.setgid(group)
    os.setuid(account.pw_uid)


def secured(plain, trust):
    """A connection over TLS, to whom `trust` names, by certificates of its authorities, or (None) to anybody."""
    if trust:
        return ssl.create_default_context(cafile=trust["ca"]).wrap_socket(plain, server_hostname=trust["name"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)
