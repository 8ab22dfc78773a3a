"""Steps for the agent, as this very user of this machine could be asked to do them."""

import base64
import grp
import os
import pwd

ME = {"owner": pwd.getpwuid(os.geteuid()).pw_name, "group": grp.getgrgid(os.getegid()).gr_name}


def write(path, text="text", check=(), **how):
    content = base64.b64encode(text.encode()).decode()
    return {
        "do": "write",
        "path": str(path),
        "content": content,
        "mode": 0o640,
        "check": list(check),
        "kept": ".before",
        **ME,
        **how,
    }


def remove(path):
    return {"do": "remove", "path": str(path)}
