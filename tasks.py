"""The door of a checkout: the commands of heat-scaleout, and those of its lab."""

from invoke import Collection

from deployer.cli.tasks import namespace
from lab import tasks as lab_tasks

namespace.add_collection(Collection.from_module(lab_tasks), name="lab")
