"""The directory port over LDAP (ldap3), against Active Directory and what speaks like it."""
