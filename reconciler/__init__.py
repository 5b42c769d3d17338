"""Declarative reconciliation of Entra ID guests into Active Directory."""

__version__ = "0.1.0"
