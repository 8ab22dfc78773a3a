"""heat-engine, which works on every message that it takes also when it is told to stop.

oslo.messaging stops reading without a word to the broker, which goes on sending this engine its share of the messages
until the connection ends; what has come by then is acknowledged and dropped (AMQPListener.stop and Connection.close of
oslo.messaging 16 to 18), and the resources that it was about stay IN_PROGRESS. Here the broker is told first.
"""

import functools
import os
import sys

AUTOGROUP = "/proc/self/autogroup"


def with_consumers_cancelled(poll):
    """Given a listener's `poll`, have it cancel its consumers when the listener stops, and read what came before."""

    @functools.wraps(poll)
    def polled(listener, *arguments, **options):
        if listener._shutdown.is_set() and not getattr(listener, "_is_cancelled", False):
            listener._is_cancelled = True
            cancel(listener.conn)
        return poll(listener, *arguments, **options)

    return polled


def cancel(connection):
    """Cancel every consumer of a connection, by the thread that reads it; it hands on what was sent before."""
    try:
        real = connection.connection  # inside the pool's
        with real._connection_lock:
            for consumer, tag in list(real._consumers.items()):
                consumer.cancel(tag)
    except Exception as error:  # the connection is gone, and so are its consumers; or it is another driver's
        sys.stderr.write("heat-scaleout: consumers are left as they are: %s\n" % error)


def lower_priority():
    """Have our nice value count also where Linux shares the processors by session (autogroup in sched(7))."""
    try:
        with open(AUTOGROUP, "w") as stream:
            stream.write("%d\n" % os.getpriority(os.PRIO_PROCESS, 0))
    except OSError:  # it does not
        pass


def main():
    lower_priority()
    from heat.cmd import engine  # before anything that it may have to patch for eventlet

    try:
        from oslo_messaging._drivers import amqpdriver

        amqpdriver.AMQPListener.poll = with_consumers_cancelled(amqpdriver.AMQPListener.poll)
    except (ImportError, AttributeError) as error:
        sys.stderr.write("heat-scaleout: this oslo.messaging is left as it is: %s\n" % error)
    sys.exit(engine.main())


if __name__ == "__main__":
    main()
