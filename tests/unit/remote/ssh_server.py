"""An SSH server of this very process on loopback, which runs what it is asked to as this user."""

import contextlib
import socket
import subprocess
import threading

import paramiko


class Server(paramiko.ServerInterface):
    """Takes one key of one user, runs commands for it and passes it on to other ports of this machine.

    With `certified` it takes that key by a certificate alone. `answer` is done with a command's channel in place of
    running it, `refuse` before the command is accepted.
    """

    def __init__(self, client_key, environment, user="operator", certified=False, answer=None, refuse=None):
        self._answer, self._refuse = answer, refuse
        self._client_key, self._environment, self._user = client_key, environment, user
        self._certified = certified
        self._onward = {}  # id of a channel -> the socket to which it leads

    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        good = username == self._user and key == self._client_key and bool(key.public_blob) == self._certified
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(self, chanid, origin, destination):
        try:
            self._onward[chanid] = socket.create_connection(destination, timeout=20)
        except OSError:
            return paramiko.OPEN_FAILED_CONNECT_FAILED
        return paramiko.OPEN_SUCCEEDED

    def pass_on(self, transport):
        """Connect the channels that lead elsewhere for as long as there is a connection."""
        while transport.is_active():
            channel = transport.accept(0.2)
            if channel and channel.get_id() in self._onward:
                onward = self._onward.pop(channel.get_id())
                threading.Thread(target=_forward, args=(channel, onward), daemon=True).start()

    def check_channel_exec_request(self, channel, command):
        if self._refuse:
            self._refuse()
        threading.Thread(target=self._run, args=(channel, command), daemon=True).start()
        return True

    def _run(self, channel, command):
        if self._answer:
            with contextlib.suppress(OSError, EOFError):  # the client gives up
                self._answer(channel)
            return
        with subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            bufsize=0,  # what a program that has ended did not read is not tried again at the end, which would raise
        ) as ran:
            threading.Thread(target=_pass_on, args=(channel, ran.stdin), daemon=True).start()
            copies = [
                threading.Thread(target=_copy, args=each, daemon=True)
                for each in (
                    (lambda: ran.stdout.read(65536), channel.sendall),
                    (lambda: ran.stderr.read(65536), channel.sendall_stderr),
                )
            ]
            for each in copies:
                each.start()
            status = ran.wait(20)
            for each in copies:
                each.join()
        with contextlib.suppress(OSError, EOFError):  # the client may have given up
            channel.send_exit_status(status)
            channel.close()


def _pass_on(channel, stdin):
    """Give a program its input as it comes."""
    _copy(lambda: channel.recv(65536), lambda data: (stdin.write(data), stdin.flush()))
    with contextlib.suppress(OSError, ValueError):  # it has ended without reading all
        stdin.close()


def _copy(read, write):
    """Pass on what comes until it ends, or nobody takes it."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        while data := read():
            write(data)


def _forward(channel, onward):
    """Copy both ways between a channel and a socket until either ends."""
    with onward:
        back = threading.Thread(target=_copy, args=(lambda: onward.recv(65536), channel.sendall), daemon=True)
        back.start()
        _copy(lambda: channel.recv(65536), onward.sendall)
        with contextlib.suppress(OSError):
            onward.shutdown(socket.SHUT_RDWR)
        back.join(20)
    with contextlib.suppress(OSError, EOFError):  # the connection may have ended
        channel.close()


@contextlib.contextmanager
def listening(host_key, client_key, environment, **how):
    """Serve until the `with` ends; its value is the port. `how` are the other arguments of Server."""
    transports = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        args = (listener, host_key, lambda: Server(client_key, environment, **how), transports)
        thread = threading.Thread(target=_accept, args=args)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for transport in transports:
                transport.close()


def _accept(listener, host_key, server_of, transports):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # shut down: the test is over
            return
        transport, server = paramiko.Transport(connection), server_of()
        for key in host_key if isinstance(host_key, list) else [host_key]:
            transport.add_server_key(key)
        transports.append(transport)
        with contextlib.suppress(paramiko.SSHException, EOFError):
            transport.start_server(event=threading.Event(), server=server)
            threading.Thread(target=server.pass_on, args=(transport,), daemon=True).start()
