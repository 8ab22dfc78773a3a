"""An SSH server of this very process on loopback, which runs what it is asked to as this user."""

import contextlib
import socket
import subprocess
import threading

import paramiko


class Server(paramiko.ServerInterface):
    """Takes one key of one user, and runs commands for it."""

    def __init__(self, client_key, environment):
        self._client_key, self._environment = client_key, environment

    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        good = username == "operator" and key == self._client_key
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=self._run, args=(channel, command), daemon=True).start()
        return True

    def _run(self, channel, command):
        given = channel.makefile("rb").read()
        ran = subprocess.run(["/bin/sh", "-c", command], input=given, capture_output=True, timeout=20,
                             env=self._environment)
        with contextlib.suppress(OSError):  # the client may have given up
            channel.sendall(ran.stdout)
            channel.sendall_stderr(ran.stderr)
            channel.send_exit_status(ran.returncode)
            channel.close()


@contextlib.contextmanager
def listening(host_key, client_key, environment):
    """Serve until the `with` ends; its value is the port."""
    transports = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, host_key, client_key, environment, transports))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for transport in transports:
                transport.close()


def _accept(listener, host_key, client_key, environment, transports):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # shut down: the test is over
            return
        transport = paramiko.Transport(connection)
        transport.add_server_key(host_key)
        transports.append(transport)
        with contextlib.suppress(paramiko.SSHException, EOFError):
            transport.start_server(event=threading.Event(), server=Server(client_key, environment))
