"""Plans and messages for people. One module per sink, and each escapes what it shows."""
