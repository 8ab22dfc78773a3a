"""Runs on a host, streamed to its `python3`: `observe` reads files, units and sockets, `perform` does steps in order.

Standard library only, Python 3.8 syntax. It decides nothing and knows no Heat: every path, name and limit comes with
the request, and the reply is one line of JSON on standard output. Keep this file empty of code: it is not sent.
"""
