"""Which kind of file system a folder lies on."""

from __future__ import annotations

import re
from pathlib import Path

NETWORK = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "davfs2",
        "gcsfuse",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "prl_fs",
        "rclone",
        "s3fs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "sshfs",
        "vboxsf",
        "virtiofs",
    }
)
"""Kinds that several hosts may have mounted; those of FUSE without their ``fuse.``."""

MOUNTS = Path("/proc/self/mounts")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def file_system(folder: Path, mounts: Path = MOUNTS) -> str:
    """The kind of the file system that a folder lies on, such as ``ext4``, or would lie on once it is made.

    Args:
        folder: A folder.
        mounts: A table of mounts as the kernel writes it.

    Returns:
        Without ``fuse.``; empty where there is no such table, as on macOS.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place, kind, depth = folder.resolve(), "", -1
    for line in lines:
        _, point, found, *_ = line.split(" ")
        where = Path(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), point))
        if len(where.parts) >= depth and place.is_relative_to(where):  # of two at one point the later one is seen
            kind, depth = found.removeprefix("fuse."), len(where.parts)
    return kind
