"""The Entra end: sign-in, delta rounds and look-ups over Microsoft Graph. Read-only."""
