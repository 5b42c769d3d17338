"""A real Active Directory domain controller on this machine: Samba, provisioned once, copied for every use."""

from .controller import Controller, Login

__all__ = ["Controller", "Login"]
