"""The keys of a compose file and of a service: Compose refuses any other, and so does this reader.

What a key holds is not looked at here, nor are the keys inside it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from invoke_stack.compose.nodes import Node
from invoke_stack.errors import UsageError

FILE = frozenset(
    {"configs", "include", "name", "networks", "secrets", "services", "version", "volumes"}
)
"""At the top of a file, each tried on `docker compose config` of Compose 2.26."""
SERVICE = frozenset(
    {
        "annotations", "attach", "blkio_config", "build", "cap_add", "cap_drop", "cgroup",
        "cgroup_parent", "command", "configs", "container_name", "cpu_count", "cpu_percent",
        "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpus",
        "cpuset", "credential_spec", "depends_on", "deploy", "develop", "device_cgroup_rules",
        "devices", "dns", "dns_opt", "dns_search", "domainname", "entrypoint", "env_file",
        "environment", "expose", "extends", "external_links", "extra_hosts", "gpus", "group_add",
        "healthcheck", "hostname", "image", "init", "ipc", "isolation", "label_file", "labels",
        "links", "logging", "mac_address", "mem_limit", "mem_reservation", "mem_swappiness",
        "memswap_limit", "network_mode", "networks", "oom_kill_disable", "oom_score_adj", "pid",
        "pids_limit", "platform", "ports", "post_start", "pre_stop", "privileged", "profiles",
        "pull_policy", "read_only", "restart", "runtime", "scale", "secrets", "security_opt",
        "shm_size", "stdin_open", "stop_grace_period", "stop_signal", "storage_opt", "sysctls",
        "tmpfs", "tty", "ulimits", "user", "userns_mode", "uts", "volumes", "volumes_from",
        "working_dir",
    }
)  # fmt: skip
"""Of a service, tried likewise."""
LATER = frozenset({"models", "provider", "pull_refresh_after", "use_api_socket"})
"""What later versions of Compose brought, `models` at the top, too; no mistake, so it is let by."""

_OWN = "x-"
_FILE_HINT = "services stand below `services:`; a key of your own begins with x-"
_SERVICE_HINT = "remove it, or begin it with x- as a key of your own"


def of_file(document: Node) -> Iterator[UsageError]:
    """Yield what is no key of a compose file."""
    return _unknown(document, "", FILE | {"models"}, _FILE_HINT)


def of_service(body: Node, path: str) -> Iterator[UsageError]:
    """Yield what is no key of a service; ``path`` is the service's own."""
    return _unknown(body, f"{path}.", SERVICE | LATER, _SERVICE_HINT)


def _unknown(node: Node, head: str, known: frozenset[str], hint: str) -> Iterator[UsageError]:
    for key, value in node.fields.items():
        if key in known or key.startswith(_OWN):
            continue
        near = difflib.get_close_matches(key.casefold(), sorted(known), n=1)
        told = f"did you mean {near[0]}?" if near else hint
        yield UsageError(str(value.here), f"{head}{key}: unknown key", hint=told)
