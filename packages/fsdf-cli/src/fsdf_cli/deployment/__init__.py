"""Remote deployment over SSH: uploads a project and runs its worker processes on a server.

`pip install fsdf[deploy]` brings fabric, which is imported when a connection is opened. The server needs sshd with
SFTP, a POSIX shell and a Python that has fsdf.
"""

from fsdf_cli.deployment.deploy import Deployed, deploy_with, fabric_deploy, name_of_queue, place_of, remote_folder
from fsdf_cli.deployment.errors import DeploymentError, HostKeyRefused
from fsdf_cli.deployment.manage import logs, status, stop
from fsdf_cli.deployment.options import DeployOptions
from fsdf_cli.deployment.server import Server

__all__ = [
    "DeployOptions",
    "Deployed",
    "DeploymentError",
    "HostKeyRefused",
    "Server",
    "deploy_with",
    "fabric_deploy",
    "logs",
    "name_of_queue",
    "place_of",
    "remote_folder",
    "status",
    "stop",
]
