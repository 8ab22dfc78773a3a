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
        with subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        ) as ran:
            threading.Thread(target=_pass_on, args=(channel, ran.stdin), daemon=True).start()
            copies = [
                threading.Thread(target=_copy, args=each, daemon=True)
                for each in (
                    (lambda: ran.stdout.read1(65536), channel.sendall),
                    (lambda: ran.stderr.read1(65536), channel.sendall_stderr),
                )
            ]
            for each in copies:
                each.start()
            status = ran.wait(20)
            for each in copies:
                each.join()
        with contextlib.suppress(OSError):  # the client may have given up
            channel.send_exit_status(status)
            channel.close()


def _pass_on(channel, stdin):
    """Give a program its input as it comes."""
    _copy(lambda: channel.recv(65536), lambda data: (stdin.write(data), stdin.flush()))
    with contextlib.suppress(OSError, ValueError):  # it has ended without reading all
        stdin.close()


def _copy(read, write):
    """Pass on what comes until it ends, or nobody takes it."""
    with contextlib.suppress(OSError, ValueError):
        while data := read():
            write(data)


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
