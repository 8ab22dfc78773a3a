"""Every command of heat-scaleout, as the collection that Invoke runs."""

from invoke.collection import Collection

from deployer.cli import read_tasks, write_tasks

namespace = Collection(
    write_tasks.deploy,
    read_tasks.plan,
    read_tasks.render,
    write_tasks.add_engine,
    write_tasks.add_api,
    write_tasks.add_cfn,
    write_tasks.remove_engine,
    write_tasks.remove_api,
    write_tasks.remove_cfn,
    write_tasks.remove_host,
    write_tasks.scale,
    write_tasks.restart,
    write_tasks.drain,
    write_tasks.undrain,
    write_tasks.recover,
    write_tasks.restore,
    write_tasks.rollback,
    read_tasks.history,
    read_tasks.status,
    read_tasks.logs,
    read_tasks.preflight,
    read_tasks.verify,
    read_tasks.lock,
    write_tasks.unlock,
)
