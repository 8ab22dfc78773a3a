"""The state that `invoke deploy` leaves, in pyinfra's words; `files` and `units` are data of each host."""

from pyinfra import host
from pyinfra.operations import files, systemd

changed = [
    files.put(
        name=f"File {file['path']}",
        src=file["source"],
        dest=file["path"],
        user=file["owner"],
        group=file["group"],
        mode=file["mode"],
        add_deploy_dir=False,
    )
    for file in host.data.files
]
is_changed = any(operation.will_change for operation in changed)
if is_changed:
    systemd.daemon_reload(name="Units are read again")
for unit in host.data.units:
    systemd.service(name=f"Unit {unit}", service=unit, running=True, enabled=True, restarted=is_changed)
